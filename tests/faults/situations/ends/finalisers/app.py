import atexit  # runs
import weakref  # runs


class Kept:  # runs
    def __del__(self):  # runs
        print("__del__")  # runs


def finalise():  # runs
    print("finalise")  # runs


def last():  # runs
    print("atexit")  # runs


kept = Kept()  # runs
weakref.finalize(kept, finalise)  # runs
atexit.register(last)  # runs
