import signal  # runs

import cash  # runs
import version  # runs

print("version", version.BUILD)  # runs
print("to pay:", cash.total([1, 2]))  # runs
signal.pause()  # runs
