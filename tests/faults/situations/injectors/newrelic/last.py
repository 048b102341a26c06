import sys  # runs

print("newrelic" in sys.modules)  # runs
