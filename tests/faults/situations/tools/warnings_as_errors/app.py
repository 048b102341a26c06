import os  # runs
import threading  # runs
import warnings  # runs

import portrait  # runs


def work():  # runs
    return 1  # runs


thread = threading.Thread(target=work)  # runs
thread.start()  # runs
thread.join()  # runs
pid = os.fork()  # runs
if not pid:  # runs
    os._exit(work())  # runs
print(os.waitpid(pid, 0)[1])  # runs
try:  # runs
    warnings.warn("wanted")  # runs
except UserWarning as warning:  # runs
    print(warning)  # runs
portrait.show()  # runs
