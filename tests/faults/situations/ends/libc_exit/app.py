import ctypes  # runs


def leave():  # runs
    ctypes.CDLL(None)._exit(3)  # runs


leave()  # runs
