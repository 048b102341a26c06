import signal  # runs

caught = 0  # runs


class Tick(Exception):  # runs
    pass  # runs


def tick(number, frame):  # runs
    raise Tick  # runs


def work(n):  # runs
    names = {}  # runs
    exec(compile("def f():\n    return 1\nf()\n", "generated%d.py" % n, "exec"), names)  # runs


signal.signal(signal.SIGALRM, tick)  # runs
while caught < 200:  # runs
    try:  # runs
        signal.setitimer(signal.ITIMER_REAL, 0.001)  # runs
        while True:
            work(caught)  # runs
    except Tick:  # runs
        caught += 1  # runs


def after():  # runs
    return caught  # runs


print(after())  # runs
