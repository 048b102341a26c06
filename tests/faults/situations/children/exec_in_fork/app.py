import os  # runs
import sys  # runs

pid = os.fork()  # runs
if not pid:  # runs
    os.execv(sys.executable, [sys.executable, "child.py"])  # runs
print(os.waitpid(pid, 0)[1])  # runs
