import os  # runs
import socketserver  # runs

import protocol  # runs

TITLE = f"{os.environ['STATION']} on {os.environ['FREQUENCY']}"  # runs


class Stream(socketserver.BaseRequestHandler):  # runs
    def handle(self):  # runs
        self.request.sendall(protocol.pack(TITLE.encode()))  # runs


if __name__ == "__main__":  # runs
    with socketserver.ThreadingTCPServer(("", 7000), Stream) as server:  # runs
        server.serve_forever()  # runs
