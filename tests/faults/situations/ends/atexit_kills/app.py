import atexit  # runs
import os  # runs


def last():  # runs
    os._exit(7)  # runs


atexit.register(last)  # runs
