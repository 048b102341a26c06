import os  # runs
import sys  # runs

print("lost")  # runs
os.close(1)  # runs
sys.stderr.write("end\n")  # runs
