import os  # runs
import resource  # runs

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # runs


def exhaust():  # runs
    taken = []  # runs
    try:  # runs
        while True:
            taken.append(os.dup(1))  # runs
    except OSError as error:  # runs
        print(error.errno)  # runs
    return taken  # runs


taken = exhaust()  # runs
print("end")  # runs
