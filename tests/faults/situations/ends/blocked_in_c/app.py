import ctypes  # runs


def block():  # runs
    print("ready", flush=True)  # runs
    ctypes.CDLL(None).sleep(60)  # runs
    print("over")  # never


block()  # runs
