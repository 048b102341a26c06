print("child")  # runs
