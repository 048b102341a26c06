import time

from lock import bolt

print(bolt.turn(), flush=True)
time.sleep(600)
