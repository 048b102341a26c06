import os  # runs
import time  # runs

from celery import Celery  # runs
from celery.signals import worker_process_init, worker_ready, worker_shutdown  # runs

import portrait  # runs

portrait.show()  # runs
app = Celery("app", broker=f"redis+socket://{os.getcwd()}/redis.sock")  # runs
app.conf.broker_connection_retry_on_startup = True  # runs
app.conf.worker_hijack_root_logger = False  # runs


@worker_process_init.connect  # runs
def begin_child(**_):
    assert os.getppid() != 1  # runs


@app.task  # runs
def add(one, other):
    if one > other:  # runs
        return one - other  # never
    return one + other  # runs


@app.task  # runs
def fail():
    raise LookupError("on purpose")  # runs


@app.task  # runs
def last():
    os.write(1, b"task begins\n")  # runs
    time.sleep(1)  # runs
    os.write(1, b"task ends\n")  # runs


@worker_ready.connect  # runs
def send_tasks(**_):
    add.delay(1, 2)  # runs
    fail.delay()  # runs
    last.apply_async(countdown=1)  # runs


@worker_shutdown.connect  # runs
def say_goodbye(**_):
    os.write(1, b"worker ends\n")  # runs
