import os  # runs
import sys  # runs

import portrait  # runs


def in_child():  # runs
    portrait.show()  # runs
    return 3  # runs


def in_parent(pid):  # runs
    print(os.waitpid(pid, 0)[1])  # runs
    return 4  # runs


def serve():  # runs
    pid = os.fork()  # runs
    return in_parent(pid) if pid else in_child()  # runs


sys.exit(serve())  # runs
