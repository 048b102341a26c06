import os  # runs
import subprocess  # runs
import sys  # runs

os.putenv("PYTHONPATH", "lib")  # runs
subprocess.run([sys.executable, "child.py"], check=True)  # runs
os.unsetenv("PYTHONPATH")  # runs
subprocess.run([sys.executable, "second.py"], check=True)  # runs
