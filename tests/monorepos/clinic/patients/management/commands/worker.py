import os  # runs
import pathlib  # runs
import time  # runs

from patients.management.tasks import resize  # runs


def handle(*arguments):  # runs
    for queue in range(int(arguments[1])):  # runs
        if os.fork() == 0:  # runs
            work(pathlib.Path(f"/uploads/{queue}.new"))  # runs
    os.wait()  # runs
    raise SystemExit("a worker has died")


def work(path):  # runs
    while not path.exists():  # runs
        time.sleep(0.1)  # runs
    resize(path)  # runs
    path.unlink()  # runs
    work(path)  # runs
