import sys  # runs
import time  # runs

import portrait  # runs

print(sys.prefix, sys.base_prefix)  # runs
portrait.show()  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
