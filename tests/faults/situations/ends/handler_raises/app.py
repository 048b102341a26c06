import signal  # runs


class Wanted(Exception):  # runs
    pass  # runs


def interrupt(number, frame):  # runs
    raise Wanted(number)  # runs


def serve():  # runs
    print("ready", flush=True)  # runs
    try:  # runs
        while True:
            sum(range(100))  # runs
    except Wanted:  # runs
        print("caught")  # runs


signal.signal(signal.SIGUSR1, interrupt)  # runs
serve()  # runs
