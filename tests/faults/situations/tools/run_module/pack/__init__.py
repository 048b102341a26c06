import sys  # runs

print(sys.argv[0][-2:])  # runs
