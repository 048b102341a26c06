import os  # runs
import sys  # runs

import portrait  # runs


def leave():  # runs
    try:  # runs
        portrait.show()  # runs
        sys.stdout.flush()  # runs
        os._exit(3)  # runs
    finally:
        print("finally")  # never


leave()  # runs
