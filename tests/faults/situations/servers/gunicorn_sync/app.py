import atexit  # runs
import sys  # runs

import portrait  # runs


def say_goodbye():  # runs
    print("worker ends")  # runs


def show():  # runs
    portrait.show()  # runs
    return "shown"  # runs


def fail():  # runs
    raise LookupError("on purpose")  # runs
    return "failed"  # never


def greet():  # runs
    if sys.flags.interactive:  # runs
        return "hello, terminal"  # never
    return "hello"  # runs


ROUTES = {"/": greet, "/fail": fail, "/portrait": show}  # runs


def app(environ, start_response):  # runs
    body = ROUTES[environ["PATH_INFO"]]()  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [body.encode()]  # runs


atexit.register(say_goodbye)  # runs
