import os  # runs

import portrait  # runs

loaded_by = os.getpid()  # runs


def load():  # runs
    return ["hello"]  # runs


words = load()  # runs


def app(environ, start_response):  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    if os.getpid() == loaded_by:  # runs
        return [b"not forked"]  # never
    if environ["PATH_INFO"] == "/portrait":  # runs
        portrait.show()  # runs
    import late  # runs

    return [late.body(words)]  # runs
