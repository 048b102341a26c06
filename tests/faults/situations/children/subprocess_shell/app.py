import os  # runs
import subprocess  # runs

print(os.system("python first.py | python second.py") >> 8)  # runs
print(subprocess.run("python first.py | python second.py", shell=True).returncode)  # runs
print(os.popen("python first.py").read())  # runs
