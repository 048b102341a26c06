import itertools  # runs

count = itertools.count(1)  # runs
with open("starts", "a") as file:  # runs
    file.write("started\n")  # runs
with open("starts") as file:  # runs
    starts = len(file.readlines())  # runs


def fourth_worker():  # runs
    return "only in the fourth worker"  # runs


def third_request():  # runs
    return "only in a worker's last request"  # runs


def app(environ, start_response):  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    served = next(count)  # runs
    if served > 3:  # runs
        return [b"too many"]  # never
    if served == 3:  # runs
        return [third_request().encode()]  # runs
    if starts == 4:  # runs
        return [fourth_worker().encode()]  # runs
    return [b"hello"]  # runs
