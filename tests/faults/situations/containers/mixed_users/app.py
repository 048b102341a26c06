import os  # runs
import sys  # runs

import portrait  # runs


def work(user):  # runs
    os.setgid(user)  # runs
    os.setuid(user)  # runs
    if user == 1000:  # runs
        print("thousand", flush=True)  # runs
    else:
        print("nobody", flush=True)  # runs
    if user == 65534:  # runs
        os.execv(sys.executable, [sys.executable, "again.py"])  # runs
    os._exit(0)  # runs


for user in (1000, 65534):  # runs
    pid = os.fork()  # runs
    if pid == 0:  # runs
        work(user)  # runs
    os.waitpid(pid, 0)  # runs
portrait.show()  # runs
