import sys  # runs

print(sys.getfilesystemencoding())  # runs
