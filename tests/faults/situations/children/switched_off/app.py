import os  # runs
import sys  # runs

os.environ.clear()  # runs
os.execv(sys.executable, [sys.executable, "second.py"])  # runs
