import os  # runs
import sys  # runs


def replace():  # runs
    os.execve(sys.executable, [sys.executable, "second.py"], {"A": "1"})  # runs
    print("over")  # never


replace()  # runs
