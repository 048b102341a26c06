import io  # runs
import sys  # runs


def work():  # runs
    a = 1  # runs
    breakpoint()  # runs
    return after(a)


def after(a):  # runs
    b = a + 1  # runs
    b += 1  # runs
    return b  # runs


sys.stdin = io.StringIO("p a\nc\n")  # runs
print(work())  # runs
print(after(3))  # runs
