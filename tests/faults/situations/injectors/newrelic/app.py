import os  # runs
import subprocess  # runs
import sys  # runs


def injected():  # runs
    return "newrelic" in sys.modules  # runs


print(injected(), os.environ.get("PYTHONPATH"))  # runs
subprocess.run([sys.executable, "child.py"], check=True)  # runs
subprocess.run([sys.executable, "child.py"], env={**os.environ, "A": "1"}, check=True)  # runs
os.environ["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")  # runs
sys.stdout.flush()  # runs
os.execv(sys.executable, [sys.executable, "last.py"])  # runs
