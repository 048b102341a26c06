import os  # runs
import signal  # runs
import time  # runs


def stop(number, frame):  # runs
    print("stopping", flush=True)  # runs
    time.sleep(0.25)  # runs
    signal.signal(number, signal.SIG_DFL)  # runs
    os.kill(os.getpid(), number)  # runs


signal.signal(signal.SIGTERM, stop)  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
