from redis import Redis  # runs
from rq import Queue, Worker  # runs

import jobs  # runs
import portrait  # runs

portrait.show()  # runs
connection = Redis(unix_socket_path="redis.sock")  # runs
queue = Queue(connection=connection)  # runs
good, bad, dead = queue.enqueue(jobs.add, 1, 2), queue.enqueue(jobs.fail), queue.enqueue(jobs.die)  # runs
Worker([queue], connection=connection, log_job_description=False).work(burst=True, logging_level="CRITICAL")  # runs
for job in (good, bad, dead):  # runs
    print(job.get_status(refresh=True), job.return_value())  # runs
