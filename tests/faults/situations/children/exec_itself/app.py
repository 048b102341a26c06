import os  # runs
import sys  # runs

import portrait  # runs

n = int(sys.argv[1]) if sys.argv[1:] else 0  # runs
if n < 5:  # runs
    os.execv(sys.executable, [sys.executable, *sys.argv[:1], str(n + 1)])  # runs
portrait.show()  # runs
