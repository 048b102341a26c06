import time  # runs

import portrait  # runs


def serve():  # runs
    portrait.show()  # runs
    print("ready", flush=True)  # runs
    while True:
        time.sleep(0.05)  # runs
    print("over")  # never


serve()  # runs
