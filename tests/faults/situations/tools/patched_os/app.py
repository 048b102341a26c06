import os  # runs
import time  # runs


def refuse(*args, **kwargs):
    print("called", args)
    raise RuntimeError("patched")


for name in (
    "open",
    "close",
    "write",
    "fstat",
    "getpid",
    "getcwd",
    "posix_fallocate",
    "urandom",
    "unlink",
    "pwrite",
):  # runs
    setattr(os, name, refuse)  # runs
time.time = time.monotonic = refuse  # runs
import inside  # runs

print(inside.work())  # runs
