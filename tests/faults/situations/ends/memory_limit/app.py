import resource  # runs


def grow():  # runs
    try:  # runs
        return bytearray(1 << 34)  # runs
    except MemoryError:  # runs
        return "MemoryError"  # runs


resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))  # runs
print(grow())  # runs
