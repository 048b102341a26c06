import time  # runs

time.sleep(60)  # runs
print("over")  # never
