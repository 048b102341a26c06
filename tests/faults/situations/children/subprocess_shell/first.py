print("a")  # runs
