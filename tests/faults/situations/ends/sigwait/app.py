import signal  # runs
import threading  # runs


def wait():  # runs
    print(signal.sigwait([signal.SIGTERM]))  # runs


signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # runs
thread = threading.Thread(target=wait)  # runs
thread.start()  # runs
print("ready", flush=True)  # runs
thread.join()  # runs
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))  # runs
