import signal  # runs
import sys  # runs
import time  # runs

import portrait  # runs


def end(number, frame):  # runs
    portrait.show()  # runs
    sys.exit(3)  # runs


signal.signal(signal.SIGTERM, end)  # runs
portrait.show()  # runs
print("ready", flush=True)  # runs
before = time.time()  # runs
while time.time() - before < 0.3:  # runs
    before = time.time()  # runs
    time.sleep(0.01)  # runs
print("woken", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
