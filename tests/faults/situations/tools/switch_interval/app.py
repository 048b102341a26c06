import sys  # runs
import threading  # runs

sys.setswitchinterval(1e-6)  # runs


def body(n):  # runs
    for i in range(200):  # runs
        if i == 150 and n == 3:  # runs
            rare()  # runs
        exec(compile("x = 1\n", "generated%d.py" % (i % 50), "exec"), {})  # runs


def rare():  # runs
    return 1  # runs


threads = [threading.Thread(target=body, args=(n,)) for n in range(6)]  # runs
for thread in threads:  # runs
    thread.start()  # runs
for thread in threads:  # runs
    thread.join()  # runs
print("end")  # runs
