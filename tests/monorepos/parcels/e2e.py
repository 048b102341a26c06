import subprocess
import time
import urllib.request


def compose(*arguments):
    return subprocess.run(["docker", "compose", *arguments], capture_output=True, text=True, check=True).stdout


def request(method, path):
    url = f"http://{compose('port', 'web', '8000').strip()}{path}"
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return answer.read().decode()


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def parcels_are_handled():
    done = ("D123 goes by road", "L456 goes by air", "swept")
    return all(text in compose("logs", "worker") for text in done)


request("POST", "/D123")
compose("up", "--detach", "--no-build", "--no-recreate", "--scale", "worker=4")
compose("restart", "web")
compose("up", "--wait", "--no-build", "--no-recreate", "web")
request("POST", "/L456")
wait_for(parcels_are_handled)
wait_for(lambda: request("GET", "/") == "empty")
time.sleep(0.5)
