import os  # runs
import sys  # runs

import portrait  # runs

portrait.show()  # runs


def refuse(event, arguments):
    if event in ("open", "mmap.__new__", "os.remove", "os.rename", "sys._getframe", "sys.settrace", "sys.setprofile"):
        raise RuntimeError(event)


def after():  # runs
    return 1  # runs


sys.addaudithook(refuse)  # runs
after()  # runs
try:  # runs
    open("app.py")  # runs
except RuntimeError as error:  # runs
    print(error)  # runs
os.write(1, b"end\n")  # runs
