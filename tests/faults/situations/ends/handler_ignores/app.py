import signal  # runs
import time  # runs

signal.signal(signal.SIGTERM, signal.SIG_IGN)  # runs
print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
