import subprocess  # runs
import sys  # runs
import time  # runs

with subprocess.Popen([sys.executable, "child.py"], stdout=subprocess.PIPE) as child:  # runs
    child.stdout.readline()  # runs
    time.sleep(0.25)  # runs
    child.terminate()  # runs
    print(child.wait())  # runs
