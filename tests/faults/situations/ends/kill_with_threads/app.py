import threading  # runs
import time  # runs


def body(n):  # runs
    started.wait()  # runs
    time.sleep(60)  # runs
    print("over")  # never


started = threading.Barrier(21)  # runs
for n in range(20):  # runs
    threading.Thread(target=body, args=(n,)).start()  # runs
started.wait()  # runs
print("ready", flush=True)  # runs
