import sys  # runs
import threading  # runs

import portrait  # runs


def body():  # runs
    portrait.show()  # runs
    sys.exit(3)  # runs
    print("over")  # never


thread = threading.Thread(target=body)  # runs
thread.start()  # runs
thread.join()  # runs
sys.exit(4)  # runs
