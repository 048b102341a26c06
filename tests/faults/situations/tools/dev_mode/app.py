import os  # runs
import subprocess  # runs
import sys  # runs

import portrait  # runs

print(sys.flags.dev_mode)  # runs
subprocess.run([sys.executable, "-c", "import child"], check=True)  # runs
pid = os.fork()  # runs
if not pid:  # runs
    sys.exit(3)  # runs
print(os.waitpid(pid, 0)[1])  # runs
portrait.show()  # runs
