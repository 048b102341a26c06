import os  # runs
import subprocess  # runs

import portrait  # runs

portrait.show()  # runs
subprocess.run("COVERAGE_FILE=/nowhere/other python child.py", shell=True, check=True)  # runs
os.execlp("sh", "sh", "-c", "unset COVERAGE_FILE; exec python last.py")  # runs
