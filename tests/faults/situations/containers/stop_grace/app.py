import signal  # runs
import time  # runs

import portrait  # runs


def drain(number, frame):  # runs
    print("draining", flush=True)  # runs
    time.sleep(30)  # runs
    print("drained")  # never


signal.signal(signal.SIGTERM, drain)  # runs
portrait.show()  # runs
print("ready", flush=True)  # runs
while True:
    time.sleep(60)  # runs
print("over")  # never
