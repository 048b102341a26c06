import os  # runs
import sys  # runs

os.write(int(sys.argv[1]), oct(os.umask(0)).encode())  # runs
