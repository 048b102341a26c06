import time

print("planing", flush=True)
time.sleep(600)
