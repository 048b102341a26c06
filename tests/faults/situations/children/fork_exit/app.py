import os  # runs


def in_child():  # runs
    print("child", flush=True)  # runs
    os._exit(3)  # runs


pid = os.fork()  # runs
if not pid:  # runs
    in_child()  # runs
    print("over")  # never
print(os.waitpid(pid, 0)[1])  # runs
