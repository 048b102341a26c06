import signal  # runs


def hang():  # runs
    signal.signal(signal.SIGABRT, signal.SIG_IGN)  # runs
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # runs
    signal.sigtimedwait([signal.SIGUSR2], 30)  # runs
    return "never answered"  # never


def app(environ, start_response):  # runs
    body = hang() if environ["PATH_INFO"] == "/hang" else "hello"  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [body.encode()]  # runs
