import os  # runs
import signal  # runs


def in_child():  # runs
    os.kill(os.getpid(), signal.SIGKILL)  # runs


pid = os.fork()  # runs
if not pid:  # runs
    in_child()  # runs
print(os.waitpid(pid, 0)[1])  # runs
