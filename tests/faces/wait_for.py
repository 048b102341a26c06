"""A test command: ends when a line of a file is recorded, `counter/main.py:7`, or its last one, `counter/main.py`.

How long it takes a service to come that far is the machine's affair.
"""

import os
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from coverage_tasks.recorded.journals import read_journals

PATIENCE = 300  # seconds until it hangs


def main() -> int:
    name, _, line = sys.argv[1].partition(":")
    file = Path.cwd() / name
    wanted = int(line or len(file.read_text().splitlines()))
    data = Path(os.environ["COVERAGE_SPY_STACK"]).parent / "journals"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if any(wanted in journal.lines.get(str(file), ()) for journal in read_journals(data)[0]):
            return 0
        time.sleep(0.05)
    print(f"line {wanted} of {file} is not recorded", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
