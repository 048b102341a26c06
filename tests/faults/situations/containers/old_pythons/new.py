print("new below old")  # runs
