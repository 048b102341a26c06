import os  # runs

print("again", os.getuid(), flush=True)  # runs
