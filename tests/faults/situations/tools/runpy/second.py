VALUE = 2  # runs
