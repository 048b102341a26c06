import time  # runs

from paper.sizes import A4  # runs

print("printed", A4)  # runs
time.sleep(600)  # runs
