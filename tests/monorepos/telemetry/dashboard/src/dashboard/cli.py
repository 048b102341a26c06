import configparser  # runs
import http.server  # runs
import pathlib  # runs
import urllib.error  # runs
import urllib.request  # runs

PASSWORD = pathlib.Path("/run/secrets/password")  # runs


def unit():  # runs
    config = configparser.ConfigParser()  # runs
    config.read("/etc/dashboard/units.ini")  # runs
    return config["units"]["temperature"]  # runs


class Handler(http.server.BaseHTTPRequestHandler):  # runs
    def do_GET(self):  # runs
        allowed = self.headers["Password"] == PASSWORD.read_text().strip()  # runs
        self.send_response(200 if allowed else 403)  # runs
        self.end_headers()  # runs
        if allowed:  # runs
            values = pathlib.Path("/measurements/values").read_text().splitlines()  # runs
            self.wfile.write(f"{max(map(float, values))} {unit()}".encode())  # runs


def serve():  # runs
    http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()  # runs


def health():  # runs
    try:  # runs
        urllib.request.urlopen("http://127.0.0.1:8080/")  # runs
    except urllib.error.HTTPError as error:  # runs
        raise SystemExit(error.code != 403) from None  # runs
