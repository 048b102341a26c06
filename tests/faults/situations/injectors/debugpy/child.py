import os  # runs
import sys  # runs

print("debugpy" in sys.modules, os.environ.get("PYTHONPATH"))  # runs
