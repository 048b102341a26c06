import http.server  # runs
import os  # runs
import pathlib  # runs
import sys  # runs

import health  # runs
from _vendor.slugs import slug  # runs

LEDGER = pathlib.Path("/ledger/invoices")  # runs

if "--check" in sys.argv:  # runs
    health.check()  # runs
    sys.exit()  # runs

with LEDGER.open("a") as ledger:  # runs
    ledger.write(slug(os.environ["INVOICE"]) + "\n")  # runs
http.server.HTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()  # runs
