import os  # runs
import sys  # runs

print(os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "child.py"]))  # runs
print(os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "child.py"], {}))  # runs
