import os  # runs
import signal  # runs
import time  # runs


def add(one, other):  # runs
    if one > other:  # runs
        return one - other  # never
    return one + other  # runs


def fail():  # runs
    raise LookupError("on purpose")  # runs


def die():  # runs
    time.sleep(0.3)  # runs
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(5)  # never
