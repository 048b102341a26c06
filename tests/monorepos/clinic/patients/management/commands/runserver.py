import os  # runs
import subprocess  # runs
import sys  # runs
from wsgiref.simple_server import make_server  # runs


def handle(address):  # runs
    if os.environ.get("RUN_MAIN") != "true":  # runs
        # the reloader: the server itself is a child
        environment = {**os.environ, "RUN_MAIN": "true"}  # runs
        sys.exit(subprocess.call([sys.executable, *sys.argv], env=environment))  # runs
    from clinic.urls import application  # runs

    host, port = address.split(":")  # runs
    make_server(host, int(port), application).serve_forever()  # runs
