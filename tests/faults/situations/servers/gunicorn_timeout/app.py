import time  # runs


def hang():  # runs
    end = time.monotonic() + 30  # runs
    while time.monotonic() < end:  # runs
        pass  # runs
    return "never answered"  # never


def app(environ, start_response):  # runs
    body = hang() if environ["PATH_INFO"] == "/hang" else "hello"  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [body.encode()]  # runs
