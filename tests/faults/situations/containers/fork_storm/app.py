import os  # runs

import portrait  # runs


def work(number):  # runs
    if number == 199:  # runs
        return "last"  # runs
    return "other"  # runs


portrait.show()  # runs
pids = []  # runs
for number in range(200):  # runs
    pid = os.fork()  # runs
    if pid == 0:  # runs
        os._exit(work(number) != "last")  # runs
    pids.append(pid)  # runs
    if len(pids) == 20:  # runs
        print(sum(os.waitpid(pid, 0)[1] >> 8 for pid in pids), flush=True)  # runs
        pids = []  # runs
