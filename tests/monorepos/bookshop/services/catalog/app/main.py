from money import Amount  # runs

from app.server import route, serve  # runs

BOOKS = {"emma": Amount(999), "ulysses": Amount(1950)}  # runs


@route("/health")  # runs
def health():  # runs
    return "ok"  # runs


@route("/prices")  # runs
def prices():  # runs
    return "\n".join(f"{title} {price}" for title, price in BOOKS.items())  # runs


@route("/stock")  # runs
def stock():  # runs
    return "plenty"


if __name__ == "__main__":  # runs
    serve()  # runs
