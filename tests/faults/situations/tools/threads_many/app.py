import threading  # runs

import portrait  # runs


def body(n):  # runs
    if n == 250:  # runs
        rare()  # runs


def rare():  # runs
    return 1  # runs


for start in range(0, 300, 30):  # runs
    threads = [threading.Thread(target=body, args=(n,)) for n in range(start, start + 30)]  # runs
    for thread in threads:  # runs
        thread.start()  # runs
    for thread in threads:  # runs
        thread.join()  # runs
portrait.show()  # runs
