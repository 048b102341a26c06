import os  # runs
import sys  # runs

print("newrelic" in sys.modules, os.environ.get("PYTHONPATH"))  # runs
