import os  # runs

from celery import Celery  # runs
from celery.signals import worker_process_init, worker_ready, worker_shutdown  # runs

app = Celery("app", broker=f"redis+socket://{os.getcwd()}/redis.sock")  # runs
app.conf.broker_connection_retry_on_startup = True  # runs
app.conf.worker_hijack_root_logger = False  # runs


@worker_process_init.connect  # runs
def begin_child(**_):
    assert os.getppid() != 1  # runs


served = []  # runs


def second():  # runs
    return "a child's last task"  # runs


@app.task  # runs
def work(number):
    served.append(number)  # runs
    if len(served) > 2:  # runs
        raise LookupError("too many tasks")  # never
    if len(served) == 2:  # runs
        second()  # runs
    if number == 6:  # runs
        os.write(1, b"all done\n")  # runs


@worker_ready.connect  # runs
def send_tasks(**_):
    for number in range(7):  # runs
        work.delay(number)  # runs


@worker_shutdown.connect  # runs
def say_goodbye(**_):
    os.write(1, b"worker ends\n")  # runs
