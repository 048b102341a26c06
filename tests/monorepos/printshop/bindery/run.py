import time  # runs

from paper.sizes import A4, landscape  # runs

print("bound", landscape(A4))  # runs
time.sleep(600)  # runs
