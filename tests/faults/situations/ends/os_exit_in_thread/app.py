import os  # runs
import threading  # runs


def leave():  # runs
    os._exit(3)  # runs


thread = threading.Thread(target=leave)  # runs
thread.start()  # runs
thread.join()
print("over")  # never
