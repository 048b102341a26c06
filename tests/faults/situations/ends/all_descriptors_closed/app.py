import os  # runs


def after():  # runs
    os._exit(9)  # runs


print("ready", flush=True)  # runs
os.closerange(0, 4096)  # runs
after()  # runs
