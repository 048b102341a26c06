import http.server  # runs


class Handler(http.server.BaseHTTPRequestHandler):  # runs
    routes = {}  # runs

    def do_GET(self):  # runs
        answer = self.routes.get(self.path)  # runs
        if answer is None:  # runs
            self.send_error(404)  # runs in catalog
            return  # runs in catalog
        self.send_response(200)  # runs
        self.end_headers()  # runs
        self.wfile.write(answer().encode())  # runs


def route(path):  # runs
    def register(function):  # runs
        Handler.routes[path] = function  # runs
        return function  # runs

    return register  # runs


def serve():  # runs
    http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()  # runs
