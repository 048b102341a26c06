import signal  # runs
import time  # runs

signal.setitimer(signal.ITIMER_REAL, 0.3)  # runs
time.sleep(60)  # runs
print("over")  # never
