import csv  # runs


def decode(text):  # runs
    return float(next(csv.reader([text]))[0])  # runs


def decode_all(text):  # runs
    return [decode(line) for line in text.splitlines()]
