import os  # runs
import subprocess  # runs
import sys  # runs

command = [sys.executable, "child.py"]  # runs
subprocess.run(command, env={**os.environ, "COVERAGE_FILE": "mine", "COVERAGE_SOURCE": "mine"}, check=True)  # runs
os.environ["COVERAGE_FILE"] = "ours"  # runs
subprocess.run(command, check=True)  # runs
print(sorted(name for name in os.environ if "COVERAGE" in name))  # runs
