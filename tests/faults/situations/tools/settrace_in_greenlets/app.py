import sys  # runs
import time  # runs

import greenlet  # runs


def debugged():
    return 1


def first(n):  # runs
    n += 1  # runs
    other.switch(n)  # runs
    sys.settrace(lambda *_: None)  # runs
    debugged()
    sys.settrace(None)  # runs
    n += 1  # runs
    if n > 100:  # runs
        n = 0  # never
    n = other.switch(n)  # runs
    return after(n)  # runs


def second(n):  # runs
    n += 1  # runs
    n = one.switch(n)  # runs
    n = after(n)
    one.switch(n)


def after(n):  # runs
    if n > 100:  # runs
        n = 0  # never
    return n  # runs


time.sleep(0.3)  # runs
after(0)  # runs
one, other = greenlet.greenlet(first), greenlet.greenlet(second)  # runs
print(one.switch(1))  # runs
third = greenlet.greenlet(after)  # runs
print(third.switch(5))  # runs
