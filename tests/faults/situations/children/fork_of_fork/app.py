import os  # runs


def descend(depth):  # runs
    if not depth:  # runs
        return bottom()  # runs
    pid = os.fork()  # runs
    if pid:  # runs
        return os.waitpid(pid, 0)[1] >> 8  # runs
    os._exit(descend(depth - 1) + 1)  # runs


def bottom():  # runs
    return 1  # runs


print(descend(5))  # runs
