import sys  # runs
import time  # runs

time.sleep(0.05)  # runs
print(len(sys._current_frames()))  # runs
print(len(getattr(sys, "_current_exceptions", sys._current_frames)()))  # runs
