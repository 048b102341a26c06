import http.server  # runs
import signal  # runs
import sys  # runs

from tracking import carrier  # runs

from parcels import queue  # runs


class Handler(http.server.BaseHTTPRequestHandler):  # runs
    def do_POST(self):  # runs
        queue.put("parcel", self.path.strip("/"))  # runs
        self.answer("accepted")  # runs

    def do_GET(self):  # runs
        self.answer("empty" if queue.is_empty() else "busy")  # runs

    def do_DELETE(self):  # runs
        self.answer(carrier(self.path))

    def answer(self, text):  # runs
        self.send_response(200)  # runs
        self.end_headers()  # runs
        self.wfile.write(text.encode())  # runs


def leave(number, frame):  # runs
    print("leaving")  # runs
    sys.exit()  # runs


signal.signal(signal.SIGTERM, leave)  # runs
http.server.HTTPServer(("", 8000), Handler).serve_forever()  # runs
