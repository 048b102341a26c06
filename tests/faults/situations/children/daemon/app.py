import os  # runs
import time  # runs


def serve():  # runs
    os.chdir("/")  # runs
    os.umask(0)  # runs
    os.closerange(0, 4096)  # runs
    os.open(os.devnull, os.O_RDWR)  # runs
    os.dup2(0, 1)  # runs
    os.dup2(0, 2)  # runs
    work()  # runs


def work():  # runs
    time.sleep(0.3)  # runs
    with open(done, "w") as file:  # runs
        file.write(str(len(os.listdir("/proc/self/fd"))))  # runs


done = os.path.abspath("done")  # runs
if not os.fork():  # runs
    os.setsid()  # runs
    if os.fork():  # runs
        os._exit(0)  # runs
    serve()  # runs
    os._exit(0)  # runs
os.wait()  # runs
while not os.path.exists(done) or not os.path.getsize(done):  # runs
    time.sleep(0.01)  # runs
with open(done) as file:  # runs
    print(file.read(), oct(os.stat(done).st_mode))  # runs
