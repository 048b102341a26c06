import os  # runs
import subprocess  # runs
import sys  # runs

import portrait  # runs


def serve():  # runs
    print(os.getuid(), flush=True)  # runs
    names = ["a%d = 1" % number for number in range(3000)]  # runs
    exec(compile("\n".join(names), os.path.abspath("generated.py"), "exec"))  # runs
    subprocess.run([sys.executable, "child.py"], check=True)  # runs
    return "served"  # runs


os.setgroups([])  # runs
os.setgid(65534)  # runs
os.setuid(65534)  # runs
print(serve(), flush=True)  # runs
portrait.show()  # runs
