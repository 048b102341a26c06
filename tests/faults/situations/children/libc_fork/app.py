import ctypes  # runs
import os  # runs


def in_child():  # runs
    os.write(1, b"child\n")  # runs
    libc._exit(3)  # runs


def in_parent():  # runs
    print(os.waitpid(pid, 0)[1])  # runs


libc = ctypes.PyDLL(None)  # runs
pid = libc.fork()  # runs
if not pid:  # runs
    in_child()  # runs
in_parent()  # runs
