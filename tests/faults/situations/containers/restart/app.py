import os  # runs
import time  # runs

import portrait  # runs

starts = "/tmp/starts"  # runs
with open(starts, "a") as file:  # runs
    file.write(".")  # runs
count = os.path.getsize(starts)  # runs
portrait.show()  # runs
if count == 1:  # runs
    first = True  # runs
elif count == 2:  # runs
    second = True  # runs
else:
    third = True  # runs
print("ready", count, flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
