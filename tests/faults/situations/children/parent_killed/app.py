import os  # runs
import time  # runs


def in_child():  # runs
    parent = os.getppid()  # runs
    os.write(1, b"ready\n")  # runs
    while os.getppid() == parent:  # runs
        time.sleep(0.01)  # runs
    os.write(1, b"orphan\n")  # runs


pid = os.fork()  # runs
if pid:  # runs
    time.sleep(60)  # runs
    print("over")  # never
in_child()  # runs
