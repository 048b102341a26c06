"""Does to the data's disk what the application asks for: fills it, then has it write back what is in memory."""

import os
import subprocess
import sys
import time

data = sys.argv[1]


def fill():
    size = 1 << 20
    with open(data + "/fill", "wb", buffering=0) as file:
        while size >= 4 << 10:
            try:
                file.write(os.urandom(size))
                os.fsync(file.fileno())
            except OSError:
                size //= 2


def write_back():
    subprocess.run(["sync", "--file-system", data], check=True)


open("ready", "w").close()
for do in (fill, write_back):
    while not os.path.exists(do.__name__):
        time.sleep(0.01)
    do()
    open(do.__name__ + ".done", "w").close()
