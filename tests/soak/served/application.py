import importlib
import os
import threading
import time

BORN = time.time()
PAUSE = 0.03


def application(environ, start_response):
    _, part, step, n = environ["PATH_INFO"].split("/")
    function = getattr(importlib.import_module(f"part{part}"), f"step{step}")
    values = []
    if int(step) % 2:
        thread = threading.Thread(target=lambda: values.append(function(int(n))))  # odd
        thread.start()  # odd
        thread.join()  # odd
    if not int(step) % 2:
        values.append(function(int(n)))  # even
    ran = time.time()
    time.sleep(PAUSE)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{values[0]} {os.getpid()} {BORN} {ran}".encode()]
