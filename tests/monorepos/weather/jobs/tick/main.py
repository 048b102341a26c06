import time  # runs

print("tick")  # runs
time.sleep(0.2)  # runs
