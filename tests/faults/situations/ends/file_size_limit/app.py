import resource  # runs
import signal  # runs

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # runs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # runs


def after():  # runs
    print("after")  # runs


after()  # runs
