import os  # runs
import time  # runs

import portrait  # runs


def in_child():  # runs
    portrait.show()  # runs
    os.write(1, b"child: %d\nready\n" % os.getpid())  # runs
    time.sleep(60)  # runs
    print("over")  # never


pid = os.fork()  # runs
if not pid:  # runs
    in_child()  # runs
print(os.waitpid(pid, 0)[1])  # runs
