import os  # runs
import subprocess  # runs
import sys  # runs

import portrait  # runs

subprocess.run([sys.executable, "-E", "child.py", "E"], check=True)  # runs
subprocess.run([sys.executable, "-I", os.path.abspath("child.py"), "I"], check=True)  # runs
subprocess.run([sys.executable, "child.py", "empty"], check=True, env={})  # runs
subprocess.run(["env", "-i", sys.executable, "child.py", "env"], check=True)  # runs
portrait.show()  # runs
os.execve(sys.executable, [sys.executable, "child.py", "exec"], {})  # runs
