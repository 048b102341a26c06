import os  # runs
import sys  # runs

pid = os.fork()  # runs
if not pid:  # runs
    sys.exit(3)  # runs
print(os.waitpid(pid, 0)[1])  # runs
