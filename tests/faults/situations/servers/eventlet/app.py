import eventlet  # runs

eventlet.monkey_patch()  # runs

import os  # noqa: E402  # runs
import time  # noqa: E402  # runs

from eventlet import wsgi  # noqa: E402  # runs

import lower  # noqa: E402  # runs
import portrait  # noqa: E402  # runs
import upper  # noqa: E402  # runs


def app(environ, start_response):  # runs
    if environ["PATH_INFO"] == "/portrait":  # runs
        portrait.show()  # runs
    greenlets = [eventlet.spawn(work, time.sleep) for _ in range(3) for work in (upper.work, lower.work)]  # runs
    found = [greenlet.wait() for greenlet in greenlets]  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [repr(found).encode()]  # runs


try:  # runs
    wsgi.server(eventlet.listen(("127.0.0.1", int(os.environ["PORT"]))), app, log_output=False)  # runs
finally:
    print("server ends", flush=True)  # runs
