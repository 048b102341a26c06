import os  # runs
import pathlib  # runs
import time  # runs

time.sleep(0.2)  # runs
table = pathlib.Path(os.environ["DATA"], "table")  # runs
tries = table.with_name("tries")  # runs
if not tries.exists():  # runs
    tries.touch()  # runs
    raise SystemExit("no data yet")  # runs
while not table.exists():  # runs
    time.sleep(0.1)  # pragma: no cover
print("published", table.read_text().splitlines())  # runs
