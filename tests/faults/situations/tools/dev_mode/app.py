import subprocess  # runs
import sys  # runs

import portrait  # runs

print(sys.flags.dev_mode)  # runs
subprocess.run([sys.executable, "-c", "import child"], check=True)  # runs
portrait.show()  # runs
