import argparse  # runs
import time  # runs
from pathlib import Path  # runs

from cash import total  # runs

parser = argparse.ArgumentParser()  # runs
parser.add_argument("--strict", action="store_true")  # runs
if parser.parse_args().strict:  # runs
    assert total([2, 3]) == 5  # runs
while not Path("/receipts/last").exists():  # runs
    time.sleep(0.05)  # pragma: no cover
Path("/receipts/loaded").touch()  # runs
