import os  # runs
import signal  # runs
import threading  # runs


def child(number):  # runs
    if os.fork():  # runs
        os.wait()  # runs
        return  # runs
    os.setpgid(0, 0)  # runs
    if number == 0:  # runs
        first()  # runs
    else:
        second()  # runs


def first():  # runs
    x = 1  # runs
    os.killpg(os.getpgid(0), signal.SIGKILL * x)  # runs


def second():  # runs
    x = 1  # runs
    signal.pthread_kill(threading.get_ident(), signal.SIGKILL * x)  # runs


child(0)  # runs
child(1)  # runs
