def work():  # runs
    return 1  # runs
