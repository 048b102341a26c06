def read():  # runs
    return 1200  # runs


def calibrate():  # runs
    return read() - 1200
