def when_ready(server):  # runs
    print("ready", flush=True)  # runs


def post_fork(server, worker):  # runs
    worker.forked = True  # runs


def pre_exec(server):  # runs
    raise NotImplementedError  # never


def worker_exit(server, worker):  # runs
    assert worker.forked  # runs


def on_exit(server):  # runs
    print("master ends", flush=True)  # runs
