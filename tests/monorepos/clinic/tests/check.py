"""What the CI of this repository runs."""

import subprocess
import time
import urllib.request


def compose(*arguments):
    return subprocess.run(["docker", "compose", *arguments], capture_output=True, text=True, check=True).stdout


def get(path):
    with urllib.request.urlopen(f"http://{compose('port', 'web', '8000').strip()}{path}") as answer:
        return answer.read().decode()


assert get("/patients") == "Ada, Alan"
get("/upload")
deadline = time.monotonic() + 30
while compose("logs", "worker").count("resized") != 2:
    assert time.monotonic() < deadline
    time.sleep(0.2)
