import ctypes  # runs


def crash():  # runs
    ctypes.string_at(1)  # runs
    print("over")  # never


crash()  # runs
