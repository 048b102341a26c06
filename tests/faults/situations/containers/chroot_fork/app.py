import os  # runs

import portrait  # runs


def inside():  # runs
    pid = os.fork()  # runs
    if pid == 0:  # runs
        print("child", flush=True)  # runs
        os._exit(0)  # runs
    os.waitpid(pid, 0)  # runs


portrait.show()  # runs
os.mkdir("/jail")  # runs
os.chroot("/jail")  # runs
os.chdir("/")  # runs
inside()  # runs
