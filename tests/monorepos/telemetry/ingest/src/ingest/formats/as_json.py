import json  # runs


def decode(text):  # runs
    return json.loads(text)  # runs
