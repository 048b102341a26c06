from __future__ import print_function  # runs

import subprocess  # runs
import sys  # runs

import portrait  # runs

print(sys.version_info[:2])  # runs
sys.stdout.flush()  # runs
if len(sys.argv) > 1:  # runs
    subprocess.check_call([sys.argv[1], "new.py"])  # runs
else:
    portrait.show()  # runs
