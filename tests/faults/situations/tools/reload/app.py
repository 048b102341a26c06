import importlib  # runs
import sys  # runs

sys.dont_write_bytecode = True  # runs
import inside  # runs

print(inside.VALUE)  # runs
importlib.reload(inside)  # runs
print(inside.VALUE)  # runs
