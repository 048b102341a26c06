import os  # runs
import signal  # runs


def last():  # runs
    os.kill(os.getpid(), signal.SIGKILL)  # runs


print("ready", flush=True)  # runs
last()  # runs
