import subprocess  # runs
import sys  # runs

print(subprocess.run([sys.executable, "child.py"], check=True).returncode)  # runs
