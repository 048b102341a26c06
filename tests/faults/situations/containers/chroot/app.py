import os  # runs

import portrait  # runs


def inside():  # runs
    print(sorted(os.listdir("/")), flush=True)  # runs
    names = ["a%d = 1" % number for number in range(3000)]  # runs
    exec(compile("\n".join(names), os.path.abspath("generated.py"), "exec"))  # runs
    return "inside"  # runs


portrait.show()  # runs
os.mkdir("/jail")  # runs
os.chroot("/jail")  # runs
os.chdir("/")  # runs
print(inside())  # runs
