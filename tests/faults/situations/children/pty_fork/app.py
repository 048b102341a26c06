import os  # runs
import pty  # runs


def in_child():  # runs
    print("child")  # runs
    return 3  # runs


pid, terminal = pty.fork()  # runs
if not pid:  # runs
    raise SystemExit(in_child())  # runs
print(os.read(terminal, 100))  # runs
print(os.waitpid(pid, 0)[1])  # runs
