import sys  # runs

depth = 0  # runs


def descend():  # runs
    global depth
    depth += 1  # runs
    descend()  # runs


def shallow():  # runs
    return 1  # runs


try:  # runs
    descend()  # runs
except RecursionError:  # runs
    print(depth)  # runs
print(shallow(), sys.getrecursionlimit())  # runs
