import os  # runs
import sys  # runs

os.chdir("below/deeper")  # runs
sys.path.insert(0, "")  # runs
import inside  # runs

print(inside.work())  # runs
