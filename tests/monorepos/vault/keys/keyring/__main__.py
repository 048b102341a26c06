import time  # runs

from keyring import settings  # runs

assert settings.NAME == "never checked"
if __debug__:  # runs
    print("debugging")
print("keys for", settings.NAME, flush=True)  # runs
time.sleep(600)  # runs
