import os  # runs
import socket  # runs
import sys  # runs

import health  # runs
from _vendor.slugs import slug  # runs


def serve():  # runs
    rooms = [slug(f"Room {number}") for number in range(int(os.environ["ROOMS"]))]  # runs
    with socket.create_server(("", 8000)) as server:  # runs
        while True:  # runs
            connection, _ = server.accept()  # runs
            connection.sendall(rooms[-1].encode())  # runs
            connection.close()  # runs


def cancel(room):  # runs
    raise LookupError(room)


if "--check" in sys.argv:  # runs
    health.check()  # runs
else:
    serve()  # runs
