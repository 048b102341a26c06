import os  # runs
import subprocess  # runs
import sys  # runs
from unittest import mock  # runs

os.environ["PYTHONPATH"] = os.environ["PYTHONPATH"]  # runs
subprocess.run([sys.executable, "first.py"], check=True)  # runs
os.environ["COVERAGE_FILE"] = "x"  # runs
del os.environ["COVERAGE_FILE"]  # runs
os.system(f"{sys.executable} second.py")  # runs
with mock.patch.dict(os.environ, {}, clear=True):  # runs
    pass  # runs
os.waitpid(os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "third.py"]), 0)  # runs
del os.environ["PYTHONPATH"]  # runs
os.execv(sys.executable, [sys.executable, "fourth.py"])  # runs
