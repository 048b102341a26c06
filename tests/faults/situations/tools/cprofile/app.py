import threading  # runs


def profiled():  # runs
    return 1  # runs


thread = threading.Thread(target=profiled)  # runs
thread.start()  # runs
thread.join()  # runs
print(profiled())  # runs
