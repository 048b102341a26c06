"""How gunicorn serves the orders."""

workers = 2
worker_tmp_dir = "/dev/shm"


def post_fork(server, worker):
    """Tell the workers apart in the log."""
    worker.log.info("worker %s of %s", worker.age, server.cfg.workers)
