import os  # runs
import time  # runs

import portrait  # runs

print(os.getpid() == 1)  # runs
portrait.show()  # runs
print("ready", flush=True)  # runs
time.sleep(0.5)  # runs
print("alive", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
