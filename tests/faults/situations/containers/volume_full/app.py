import os  # runs

import portrait  # runs


def work(number):  # runs
    if number == 0:  # runs
        print("first", flush=True)  # runs
    elif number == 19:  # runs
        print("last", flush=True)  # runs
    return number  # runs


portrait.show()  # runs
for number in range(20):  # runs
    pid = os.fork()  # runs
    if pid == 0:  # runs
        work(number)  # runs
        os._exit(0)  # runs
    os.waitpid(pid, 0)  # runs
names = ["a%d = 1" % number for number in range(8000)]  # runs
exec(compile("\n".join(names), os.path.abspath("generated.py"), "exec"))  # runs
print("over", flush=True)  # runs
