import os  # runs
import subprocess  # runs
import sys  # runs

import portrait  # runs

for name in ("PYTHON27", "PYTHON36", "PYTHON37"):  # runs
    subprocess.run([os.environ[name], "old.py"], check=True)  # runs
    subprocess.run([os.environ[name], "old.py"], check=True, env={})  # runs
    subprocess.run([os.environ[name], "-E", "old.py", sys.executable], check=True)  # runs
portrait.show()  # runs
