import os  # runs


def idle():  # runs
    return "never asked"  # never


def application(environ, start_response):  # runs
    os.write(3, f"worker: {os.getpid()}\n".encode())  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [b"hello"]  # runs
