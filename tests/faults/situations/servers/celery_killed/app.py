import os  # runs
import time  # runs

from celery import Celery  # runs
from celery.signals import worker_process_init, worker_ready, worker_shutdown  # runs

app = Celery("app", broker=f"redis+socket://{os.getcwd()}/redis.sock")  # runs
app.conf.broker_connection_retry_on_startup = True  # runs
app.conf.worker_hijack_root_logger = False  # runs


@worker_process_init.connect  # runs
def begin_child(**_):
    assert os.getppid() != 1  # runs


@app.task  # runs
def hang():
    os.write(1, f"child: {os.getpid()}\n".encode())  # runs
    time.sleep(20)  # runs
    os.write(1, b"not killed\n")  # never


@app.task  # runs
def work():
    os.write(1, b"done in another child\n")  # runs


@worker_ready.connect  # runs
def send_tasks(**_):
    hang.delay()  # runs
    work.delay()  # runs


@worker_shutdown.connect  # runs
def say_goodbye(**_):
    os.write(1, b"worker ends\n")  # runs
