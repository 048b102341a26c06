import sys  # runs

if sys.argv[1] == "E":  # runs
    print("-E")  # runs
elif sys.argv[1] == "I":  # runs
    print("-I")  # runs
elif sys.argv[1] == "empty":  # runs
    print("empty")  # runs
elif sys.argv[1] == "env":  # runs
    print("env -i")  # runs
else:
    print("exec")  # runs
