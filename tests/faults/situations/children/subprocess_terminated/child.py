import time  # runs

print("ready", flush=True)  # runs
time.sleep(60)  # runs
print("over")  # never
