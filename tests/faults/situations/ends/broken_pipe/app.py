import sys  # runs

try:  # runs
    while True:
        print("line", flush=True)  # runs
except BrokenPipeError:  # runs
    sys.stderr.write("gone\n")  # runs
    sys.stderr.flush()  # runs
    sys.stdout = None  # runs
