from app.server import route, serve


@route("/health")
def health():
    return "ok"


if __name__ == "__main__":
    serve()
