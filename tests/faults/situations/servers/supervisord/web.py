import os  # runs
import signal  # runs
import sys  # runs
from http.server import BaseHTTPRequestHandler, HTTPServer  # runs

import portrait  # runs


class Handler(BaseHTTPRequestHandler):  # runs
    def do_GET(self):  # runs
        if self.path == "/portrait":  # runs
            portrait.show()  # runs
        self.send_response(200)  # runs
        self.end_headers()  # runs
        self.wfile.write(os.environ["ONLY_HERE"].encode())  # runs

    def do_POST(self):  # runs
        self.send_response(500)  # never

    def log_message(self, *_):  # runs
        pass  # runs


def end(number, _frame):  # runs
    os.write(1, b"web ends\n")  # runs
    sys.exit(3)  # runs


signal.signal(signal.SIGTERM, end)  # runs
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()  # runs
