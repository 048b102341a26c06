"""python main.py starts all of it without containers."""

import subprocess
import sys

for service in ("api", "web"):
    subprocess.Popen([sys.executable, f"{service}/app/main.py"])
