import time

import siren

print(siren.sound(), flush=True)
time.sleep(600)
