print("second")  # runs
