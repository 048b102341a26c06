import atexit  # runs
import os  # runs
import threading  # runs

import portrait  # runs

words = ["hello"]  # runs


def say_goodbye():  # runs
    os.write(1, b"worker ends\n")  # runs


def in_a_thread(found):  # runs
    found.append(words[0].upper())  # runs


def greet():  # runs
    found = []  # runs
    thread = threading.Thread(target=in_a_thread, args=(found,))  # runs
    thread.start()  # runs
    thread.join()  # runs
    if not found:  # runs
        return "nothing"  # never
    return found[0]  # runs


def application(environ, start_response):  # runs
    if environ["PATH_INFO"] == "/fail":  # runs
        raise LookupError("on purpose")  # runs
    if environ["PATH_INFO"] == "/portrait":  # runs
        portrait.show()  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    return [greet().encode()]  # runs


atexit.register(say_goodbye)  # runs
