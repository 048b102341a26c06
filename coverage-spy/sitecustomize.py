"""Start coverage-spy when COVERAGE_ENABLE says so, then run the sitecustomize that this one stands in front of.

Python's site module imports this file at every start of an interpreter whose PYTHONPATH leads here. It parses on
every Python from 2.7 on, and prints nothing.
"""

import os
import sys

_spy = os.path.dirname(os.path.abspath(__file__))

if os.environ.get("COVERAGE_ENABLE", "").strip().lower() in ("true", "1", "yes", "on"):
    try:
        from coverage_spy import start

        start(_spy)
    except Exception:
        # Whatever is wrong with the spy, the application starts; the host misses a receipt.
        for _name in [name for name in sys.modules if name.partition(".")[0] == "coverage_spy"]:
            del sys.modules[_name]

# Nothing of ours is to be found by the application, and the next import has to find what we shadow.
sys.path[:] = [entry for entry in sys.path if not entry or os.path.abspath(entry) != _spy]

# The module is still needed by its own code, which runs until the last line.
_this = sys.modules.pop("sitecustomize", None)

# Outside of any `except` of ours, so that site reports its exceptions as ever. Where there is no other, the ImportError
# that site expects in this case and passes over comes out of here, and `sitecustomize` is in nobody's sys.modules.
import sitecustomize  # noqa: F401
