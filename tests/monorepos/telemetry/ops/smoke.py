import pathlib
import subprocess
import time
import urllib.request


def compose(*arguments):
    return subprocess.run(["docker", "compose", *arguments], capture_output=True, text=True, check=True).stdout


deadline = time.monotonic() + 30
while "3 values" not in compose("logs", "ingest"):
    assert time.monotonic() < deadline
    time.sleep(0.1)
password = pathlib.Path(__file__).with_name("password.txt").read_text().strip()
url = f"http://{compose('port', 'dashboard', '8080').strip()}/"
with urllib.request.urlopen(urllib.request.Request(url, headers={"Password": password})) as answer:
    assert answer.read() == b"21.5 C"
