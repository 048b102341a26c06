import time  # runs


def serve():  # runs
    print("ready", flush=True)  # runs
    time.sleep(60)  # runs


serve()  # runs
