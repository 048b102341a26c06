import time  # runs

import portrait  # runs


def serve():  # runs
    portrait.show()  # runs
    print("ready", flush=True)  # runs
    time.sleep(60)  # runs
    print("over")  # never


serve()  # runs
