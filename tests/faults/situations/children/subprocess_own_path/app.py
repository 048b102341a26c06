import os  # runs
import subprocess  # runs
import sys  # runs

subprocess.run([sys.executable, "child.py"], env={**os.environ, "PYTHONPATH": "lib"}, check=True)  # runs
os.environ["PYTHONPATH"] = "lib"  # runs
subprocess.run([sys.executable, "child.py"], check=True)  # runs
