import os  # runs


def leave():  # runs
    os.abort()  # runs


leave()  # runs
