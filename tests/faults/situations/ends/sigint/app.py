import time  # runs

import portrait  # runs


def serve():  # runs
    portrait.show()  # runs
    print("ready", flush=True)  # runs
    try:  # runs
        time.sleep(60)  # runs
    finally:
        print("finally")  # runs
    print("over")  # never


serve()  # runs
