import subprocess  # runs
import sys  # runs

subprocess.run([sys.executable, "-I", "child.py"], check=True)  # runs
