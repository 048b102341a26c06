import threading  # runs
import time  # runs


def body():  # runs
    threading.main_thread().join()  # runs
    print("after")  # runs


threading.Thread(target=body).start()  # runs
time.sleep(0.05)  # runs
