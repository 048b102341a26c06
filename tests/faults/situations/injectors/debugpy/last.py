import sys  # runs

print("debugpy" in sys.modules)  # runs
