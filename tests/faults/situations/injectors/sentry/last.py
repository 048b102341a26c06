print("last")  # runs
