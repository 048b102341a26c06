import os  # runs
import sys  # runs

for spawn, program in ((os.posix_spawn, sys.executable), (os.posix_spawnp, "python")):  # runs
    for environment in ({}, {"PYTHONPATH": "lib"}, os.environ):  # runs
        pid = spawn(program, [sys.executable, "child.py"], environment)  # runs
        print(os.waitpid(pid, 0)[1])  # runs
