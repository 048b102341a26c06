import time  # runs

import portrait  # runs

portrait.show()  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
