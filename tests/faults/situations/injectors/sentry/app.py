import os  # runs
import subprocess  # runs
import sys  # runs

import sentry_sdk  # runs

sentry_sdk.init(traces_sample_rate=1.0)  # runs
with sentry_sdk.start_transaction(name="work"):  # runs
    subprocess.run([sys.executable, "child.py"], check=True)  # runs
    subprocess.run([sys.executable, "child.py"], env={"A": "1"}, check=True)  # runs
    os.environ["PYTHONPATH"] = "/nowhere"  # runs
    del os.environ["PYTHONPATH"]  # runs
    subprocess.run([sys.executable, "last.py"], check=True)  # runs
