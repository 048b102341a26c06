import time  # runs
from pathlib import Path  # runs

marker = Path("started")  # runs
if marker.exists():  # runs
    print("started again", flush=True)  # runs
marker.touch()  # runs


async def app(scope, receive, send):  # runs
    if scope["type"] != "http":  # runs
        return  # runs
    if scope["path"] == "/touch":  # runs
        time.sleep(1)  # runs
        Path(__file__).touch()  # runs
    if scope["path"] == "/other":  # runs
        raise LookupError  # never
    await send({"type": "http.response.start", "status": 200, "headers": []})  # runs
    await send({"type": "http.response.body", "body": b"hello"})  # runs
