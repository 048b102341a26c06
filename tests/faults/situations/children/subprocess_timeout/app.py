import subprocess  # runs
import sys  # runs

try:  # runs
    subprocess.run([sys.executable, "child.py"], timeout=0.6)  # runs
except subprocess.TimeoutExpired:  # runs
    print("timeout")  # runs
