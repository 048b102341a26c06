import sys  # runs

print(ascii(sys.argv[0]))  # runs
