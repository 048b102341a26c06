depth = 0  # runs


def descend():  # runs
    global depth
    depth += 1  # runs
    try:  # runs
        return descend()  # runs
    except RecursionError:  # runs
        return bottom()  # runs


def bottom():  # runs
    return middle()  # runs


def middle():  # runs
    return 3  # runs


print(descend())  # runs
