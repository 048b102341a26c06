import os  # runs
import subprocess  # runs
import sys  # runs


def before():  # runs
    os.umask(0o77)  # runs


ours, theirs = os.pipe()  # runs
command = [sys.executable, "child.py", str(theirs)]  # runs
subprocess.run(command, preexec_fn=before, start_new_session=True, pass_fds=[theirs], check=True)  # runs
print(os.read(ours, 100))  # runs
