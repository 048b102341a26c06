import signal  # runs

count = 0  # runs


def tick(number, frame):  # runs
    global count
    count += 1  # runs
    if count >= 100:  # runs
        rare()  # runs


def rare():  # runs
    return 1  # runs


signal.signal(signal.SIGALRM, tick)  # runs
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)  # runs
while count < 200:  # runs
    names = {}  # runs
    exec(compile("def f():\n    return 1\nf()\n", "generated%d.py" % count, "exec"), names)  # runs
signal.setitimer(signal.ITIMER_REAL, 0)  # runs
print("end")  # runs
