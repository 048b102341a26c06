import os  # runs


def in_child(n):  # runs
    if n == 137:  # runs
        rare()  # runs
    os._exit(n % 3)  # runs


def rare():  # runs
    return 1  # runs


statuses = []  # runs
for start in range(0, 200, 20):  # runs
    pids = []  # runs
    for n in range(start, start + 20):  # runs
        pid = os.fork()  # runs
        if not pid:  # runs
            in_child(n)  # runs
        pids.append(pid)  # runs
    statuses += [os.waitpid(pid, 0)[1] for pid in pids]  # runs
print(sum(statuses))  # runs
print(len(os.listdir("/proc/self/fd")))  # runs
