import atexit  # runs


def first():  # runs
    print("first")  # runs


def second():  # runs
    raise ValueError("wanted")  # runs


atexit.register(first)  # runs
atexit.register(second)  # runs
