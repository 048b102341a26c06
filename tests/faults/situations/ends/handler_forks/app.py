import os  # runs
import signal  # runs
import time  # runs


def fork(number, frame):  # runs
    pid = os.fork()  # runs
    if not pid:  # runs
        os._exit(in_child())  # runs
    print(os.waitpid(pid, 0)[1], flush=True)  # runs
    raise SystemExit(2)  # runs


def in_child():  # runs
    return 3  # runs


signal.signal(signal.SIGUSR1, fork)  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
