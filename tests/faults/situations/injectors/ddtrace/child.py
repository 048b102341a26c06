import os  # runs
import sys  # runs

print("ddtrace" in sys.modules, os.environ.get("PYTHONPATH"))  # runs
