import subprocess  # runs
import sys  # runs

print(subprocess.run([sys.executable, "child.py"], env={}).returncode)  # runs
