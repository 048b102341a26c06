import eventlet  # runs
from eventlet import tpool  # runs


def body(n):  # runs
    m = n + 1  # runs
    m += 1  # runs
    return m  # runs


print(tpool.execute(body, 1))  # runs
print(eventlet.spawn(body, 2).wait())  # runs
