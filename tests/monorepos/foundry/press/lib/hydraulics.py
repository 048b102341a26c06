def warm():  # runs
    print("warm")  # runs


def close():  # runs
    print("closed", flush=True)  # runs


def open():  # runs
    print("opened", flush=True)  # runs


def stop():  # runs
    raise SystemExit("stopped")
