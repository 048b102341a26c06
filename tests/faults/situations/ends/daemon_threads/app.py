import threading  # runs
import time  # runs

import portrait  # runs


def tick():  # runs
    ticked.wait()  # runs
    while True:
        time.sleep(0.001)  # runs


ticked = threading.Barrier(6)  # runs
for _ in range(5):  # runs
    threading.Thread(target=tick, daemon=True).start()  # runs
ticked.wait()  # runs
time.sleep(0.05)  # runs
portrait.show()  # runs
