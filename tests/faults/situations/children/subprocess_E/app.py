import subprocess  # runs
import sys  # runs

subprocess.run([sys.executable, "-E", "child.py"], check=True)  # runs
