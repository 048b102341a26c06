import sys  # runs
import threading  # runs
from hypothesis import Phase, given, settings, strategies  # runs


@settings(database=None, derandomize=True)  # runs
@given(strategies.integers(), strategies.integers())  # runs
def add(a, b):  # runs
    assert a + b < 1000


try:  # runs
    add()  # runs
except AssertionError as error:  # runs
    print(*getattr(error, "__notes__", ()), sep="\n")  # runs
print(sys.gettrace(), len(Phase))  # runs
thread = threading.Thread(target=lambda: print(sys.gettrace()))  # runs
thread.start()  # runs
thread.join()  # runs
