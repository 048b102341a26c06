# Tells every fork and every end of a worker in the file `events`, and lets the first worker live.
import os
import sys
import time

EVENTS = os.open("events", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def tell(event, worker, pid):
    os.write(EVENTS, f"{event} {worker.age} {pid} {time.time()}\n".encode())


def pre_fork(_server, worker):
    tell("fork", worker, 0)
    if worker.age == 1:
        worker.max_requests = sys.maxsize


def post_fork(_server, worker):
    tell("born", worker, os.getpid())


def child_exit(_server, worker):
    tell("exit", worker, worker.pid)
