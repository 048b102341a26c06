VALUE = 3  # runs
