import signal  # runs
import time  # runs

stopping = False  # runs


def stop(number, frame):  # runs
    global stopping
    stopping = True  # runs


signal.signal(signal.SIGTERM, stop)  # runs
print("ready", flush=True)  # runs
while not stopping:  # runs
    time.sleep(0.01)  # runs
print("over")  # runs
