import argparse  # runs
import importlib  # runs
import os  # runs
import signal  # runs
import sys  # runs
import time  # runs

from parcels import queue  # runs


def main():  # runs
    parser = argparse.ArgumentParser()  # runs
    parser.add_argument("--pool", choices=["prefork", "solo"])  # runs
    arguments = parser.parse_args()  # runs
    while True:  # runs
        task = queue.take()  # runs
        if not task:  # runs
            time.sleep(0.1)  # runs
        elif arguments.pool == "prefork":  # runs
            in_child(task)  # runs
        else:
            run(task)


def in_child(task):  # runs
    child = os.fork()  # runs
    if child == 0:  # runs
        run(task)  # runs
        os._exit(0)  # runs
    os.waitpid(child, 0)  # runs


def run(task):  # runs
    kind, _, text = task.stem.partition("-")  # runs
    tasks = importlib.import_module("parcels.tasks")  # runs
    getattr(tasks, kind)(text)  # runs
    task.unlink()  # runs


if __name__ == "__main__":  # runs
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))  # runs
    main()  # runs
