import time  # runs

try:  # runs
    print("ready", flush=True)  # runs
    time.sleep(60)  # runs
    print("over")  # never
except KeyboardInterrupt:  # runs
    print("caught")  # runs
