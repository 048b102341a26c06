import time  # runs


def serve():  # runs
    print("ready", flush=True)  # runs
    time.sleep(60)  # runs
    print("over")  # never


serve()  # runs
