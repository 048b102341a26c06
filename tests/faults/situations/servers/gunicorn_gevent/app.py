import gevent  # runs

import lower  # runs
import portrait  # runs
import upper  # runs


def app(environ, start_response):  # runs
    if environ["PATH_INFO"] == "/portrait":  # runs
        portrait.show()  # runs
    greenlets = [gevent.spawn(work) for _ in range(3) for work in (upper.work, lower.work)]  # runs
    gevent.joinall(greenlets, timeout=5)  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [repr([greenlet.value for greenlet in greenlets]).encode()]  # runs
