import http.server  # runs
import sys  # runs

from app import settings  # runs

STOCK = int(sys.argv[1].partition("=")[2])  # runs


class Handler(http.server.BaseHTTPRequestHandler):  # runs
    def do_GET(self):  # runs
        self.send_response(200)  # runs
        self.end_headers()  # runs
        self.wfile.write(f"{STOCK} {settings.UNIT}".encode())  # runs

    def do_POST(self):  # runs
        self.send_error(405)


http.server.HTTPServer(("", 8000), Handler).serve_forever()  # runs
