import signal  # runs
import sys  # runs
import time  # runs


def stop(number, frame):  # runs
    print("first", flush=True)  # runs
    sys.exit(0)  # runs


def chain(number, frame):  # runs
    print("second", flush=True)  # runs
    before(number, frame)  # runs


assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL  # runs
signal.signal(signal.SIGTERM, stop)  # runs
before = signal.signal(signal.SIGTERM, chain)  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
