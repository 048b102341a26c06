import sys  # runs

from lib import hydraulics  # runs

if sys.argv[1:] == ["--slowly"]:  # runs
    hydraulics.warm()  # runs
else:
    raise SystemExit("too fast")
