import sys  # runs
import threading  # runs


def hook(kind, value, traceback):  # runs
    print("hook", kind.__name__, value)  # runs


def fail():  # runs
    raise ValueError("in a thread")  # runs


threading.excepthook = lambda args: hook(args.exc_type, args.exc_value, None)  # runs
sys.excepthook = hook  # runs
thread = threading.Thread(target=fail)  # runs
thread.start()  # runs
thread.join()  # runs
raise ValueError("wanted")  # runs
