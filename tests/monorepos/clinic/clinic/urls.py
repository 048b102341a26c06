from patients import views  # runs

PATHS = {"/patients": views.patients, "/upload": views.upload}  # runs


def application(environ, start_response):  # runs
    view = PATHS.get(environ["PATH_INFO"], views.missing)  # runs
    status, body = view(environ)  # runs
    start_response(status, [("Content-Type", "text/plain")])  # runs
    return [body.encode()]  # runs
