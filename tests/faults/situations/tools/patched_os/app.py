import os  # runs
import time  # runs


def refuse(*args, **kwargs):
    print("called", args)
    raise RuntimeError("patched")


names = "open close write fstat getpid getcwd posix_fallocate urandom unlink pwrite"  # runs
for name in names.split():  # runs
    setattr(os, name, refuse)  # runs
time.time = time.monotonic = refuse  # runs
import inside  # runs

print(inside.work())  # runs
