import atexit  # runs
import signal  # runs
import sys  # runs
import time  # runs

import portrait  # runs


def stop(number, frame):  # runs
    print("stopping", number)  # runs
    sys.exit(5)  # runs


@atexit.register  # runs
def last():  # runs
    portrait.show()  # runs
    print("last")  # runs


signal.signal(signal.SIGTERM, stop)  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
