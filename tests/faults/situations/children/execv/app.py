import os  # runs
import sys  # runs


def replace():  # runs
    os.execv(sys.executable, [sys.executable, "second.py"])  # runs
    print("over")  # never


print("first", flush=True)  # runs
replace()  # runs
