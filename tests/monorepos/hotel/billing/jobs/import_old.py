print("importing 1998")  # runs
