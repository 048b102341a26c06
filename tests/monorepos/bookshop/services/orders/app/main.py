import urllib.request  # runs

from money import Amount  # runs

from app.server import route, serve  # runs


@route("/health")  # runs
def health():  # runs
    return "ok"  # runs


@route("/total")  # runs
def total():  # runs
    with urllib.request.urlopen("http://catalog:8000/prices") as answer:  # runs
        prices = answer.read().decode().splitlines()  # runs
    if not prices:  # runs
        return "nothing to sell"
    return f"{len(prices)} for {Amount(999) + Amount(1950)}"  # runs


if __name__ == "__main__":  # runs
    serve()  # runs
