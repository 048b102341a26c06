import sys  # runs

print("ddtrace" in sys.modules)  # runs
