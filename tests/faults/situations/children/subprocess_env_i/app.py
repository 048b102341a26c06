import subprocess  # runs
import sys  # runs

subprocess.run(["env", "-i", sys.executable, "child.py"], check=True)  # runs
