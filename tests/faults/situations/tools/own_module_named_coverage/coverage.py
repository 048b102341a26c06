VALUE = 1  # runs
