import sys  # runs

print("sitecustomize" in sys.modules)  # runs
