import pathlib  # runs

invoices = pathlib.Path("/ledger/invoices").read_text().split()  # runs
assert invoices == ["room-12"], invoices  # runs
if not invoices:  # runs
    raise SystemExit("nothing to close")
print("closed the day")  # runs
