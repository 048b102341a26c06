import time  # runs
from pathlib import Path  # runs

starts = Path("starts")  # runs
with starts.open("a") as file:  # runs
    file.write("started\n")  # runs
count = len(starts.read_text().splitlines())  # runs
if count == 3:  # runs
    print("third time", flush=True)  # runs
    time.sleep(30)  # runs
    print("not stopped")  # never
