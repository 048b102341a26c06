import subprocess  # runs
import sys  # runs

subprocess.run([sys.executable, "child.py"], cwd="other", check=True)  # runs
