import os  # runs
import subprocess  # runs
import sys  # runs

import portrait  # runs
import shared  # runs

print(shared.used(), os.environ["PYTHONPATH"], sys.path[1:3], flush=True)  # runs
subprocess.run([sys.executable, "child.py"], check=True)  # runs
portrait.show()  # runs
