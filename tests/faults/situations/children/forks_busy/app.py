import os  # runs
import threading  # runs


def work():  # runs
    n = 0  # runs
    while not done:  # runs
        n += 1  # runs
        exec(compile("def f():\n    return 1\nf()\n", "generated%d.py" % (n % 500), "exec"), {})  # runs


def in_child(n):  # runs
    if n == 17:  # runs
        rare()  # runs
    os._exit(n % 3)  # runs


def rare():  # runs
    return 1  # runs


done = []  # runs
threads = [threading.Thread(target=work) for _ in range(2)]  # runs
for thread in threads:  # runs
    thread.start()  # runs
statuses = []  # runs
for n in range(20):  # runs
    pid = os.fork()  # runs
    if not pid:  # runs
        in_child(n)  # runs
    statuses.append(os.waitpid(pid, 0)[1])  # runs
done.append(True)  # runs
for thread in threads:  # runs
    thread.join()  # runs
print(statuses)  # runs
