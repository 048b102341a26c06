def worker_abort(worker):  # runs
    print("worker is aborted", flush=True)  # runs


def pre_exec(server):  # runs
    raise NotImplementedError  # never
