A4 = (210, 297)  # runs


def landscape(size):  # runs
    return size[::-1]  # runs in bindery
