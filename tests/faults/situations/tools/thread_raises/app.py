import _thread  # runs
import sys  # runs
import time  # runs


def fails(lock):  # runs
    lock.release()  # runs
    raise ValueError("wanted")  # runs


def leaves(lock):  # runs
    lock.release()  # runs
    sys.exit(3)  # runs


sys.unraisablehook = lambda unraisable: print(unraisable.exc_value)  # runs
for body in (fails, leaves):  # runs
    lock = _thread.allocate_lock()  # runs
    lock.acquire()  # runs
    _thread.start_new_thread(body, (lock,))  # runs
    lock.acquire()  # runs
    time.sleep(0.05)  # runs
print("end")  # runs
