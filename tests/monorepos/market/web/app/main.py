import time  # runs
import urllib.request  # runs

import settings  # runs


def page():  # runs
    with urllib.request.urlopen(settings.API) as answer:  # runs
        return f"<h1>{answer.read().decode()}</h1>"  # runs


def error_page():  # runs
    return "<h1>sold out</h1>"


print(page(), flush=True)  # runs
time.sleep(600)  # runs
