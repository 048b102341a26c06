import sys  # runs
import threading  # runs


def debugged():
    return 1


def work():  # runs
    sys.settrace(lambda *_: None)  # runs
    debugged()
    sys.settrace(None)  # runs
    after()  # runs
    return 1  # runs


def after():  # runs
    for n in range(2):  # runs
        n += 1  # runs
    if n > 5:  # runs
        n = 0  # never
    return n  # runs


work()  # runs
thread = threading.Thread(target=work)  # runs
thread.start()  # runs
thread.join()  # runs
sys.settrace(None)  # runs
print(after(), sys.gettrace())  # runs
