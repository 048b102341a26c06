import socket  # runs
import time  # runs


def check():  # runs
    socket.create_connection(("127.0.0.1", 8000)).close()  # runs


def wait():  # runs
    time.sleep(600)
