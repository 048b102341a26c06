import os  # runs
import signal  # runs
import subprocess  # runs
import time  # runs

ended = []  # runs


def reap(number, frame):  # runs
    try:  # runs
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)  # runs
            if not pid:
                break
            ended.append(status)  # runs
    except ChildProcessError:  # runs
        return  # runs


signal.signal(signal.SIGCHLD, reap)  # runs
for n in range(3):  # runs
    subprocess.Popen(["sh", "-c", "exit %d" % n])  # runs
    if not os.fork():  # runs
        os._exit(n)  # runs
while len(ended) < 6:  # runs
    time.sleep(0.005)  # runs
print(sorted(ended))  # runs
