import os  # runs
import threading  # runs
import time  # runs


def work():  # runs
    while not done:  # runs
        time.sleep(0.0001)  # runs


def fork():  # runs
    pid = os.fork()  # runs
    if not pid:  # runs
        in_child()  # runs
    statuses.append(os.waitpid(pid, 0)[1])  # runs


def in_child():  # runs
    other = threading.Thread(target=in_thread_of_child)  # runs
    other.start()  # runs
    other.join()  # runs
    os._exit(5)  # runs


def in_thread_of_child():  # runs
    return 1  # runs


done, statuses = [], []  # runs
workers = [threading.Thread(target=work) for _ in range(4)]  # runs
forking = threading.Thread(target=fork)  # runs
for thread in (*workers, forking):  # runs
    thread.start()  # runs
forking.join()  # runs
done.append(True)  # runs
for thread in workers:  # runs
    thread.join()  # runs
print(statuses)  # runs
