"""The spy's variables in the environment of this process, and how the application does not see them.

COVERAGE_FILE and its like may as well be the application's own, set by a shell, an entrypoint or a parent. So the spy's
values travel under a second name each, COVERAGE_SPY_FILE and its like, and where these are they alone count. Without
them the variables were set by hand, and all are the spy's.

Parses on every Python from 2.7 on.
"""

import os

ENABLE = "COVERAGE_ENABLE"
PREFIX = "COVERAGE_SPY_"
# The names that are coverage.py's own or could be -> those under which the spy's values travel.
SECOND_NAMES = {
    "COVERAGE_FILE": "COVERAGE_SPY_FILE",
    "COVERAGE_SOURCE": "COVERAGE_SPY_SOURCE",
    "COVERAGE_OMIT": "COVERAGE_SPY_OMIT",
    "COVERAGE_BRANCH": "COVERAGE_SPY_BRANCH",
}
MARK = "COVERAGE_SPY_FILE"
DATA_FILE = "/coverage/.coverage"  # where COVERAGE_FILE is not set


def own_variables(environ):
    """Return the spy's variables, by the names under which they travel; PYTHONPATH is not among them."""
    found = {name: environ[name] for name in environ if name == ENABLE or name.startswith(PREFIX)}
    if MARK not in found:
        found.update({SECOND_NAMES[name]: environ[name] for name in SECOND_NAMES if name in environ})
        found.setdefault(MARK, DATA_FILE)
    return found


def without_spy(path, spy):
    """Return a PYTHONPATH without the spy's directory."""
    return os.pathsep.join(part for part in path.split(os.pathsep) if part.rstrip("/") != spy)


def hide(spy):
    """Take the spy's variables out of `os.environ`, and out of nothing else.

    `del os.environ[name]` would take them out of the C library's environment too, which children inherit.
    """
    data = getattr(os.environ, "_data" if hasattr(os.environ, "_data") else "data")  # the second in Python 2
    encode = getattr(os.environ, "encodekey", str)
    own = own_variables(os.environ)
    for name in SECOND_NAMES:
        if name in os.environ and os.environ[name] == own.get(SECOND_NAMES[name]):
            del data[encode(name)]
    for name in own:
        data.pop(encode(name), None)
    path = without_spy(os.environ.get("PYTHONPATH", ""), spy)
    if path:
        data[encode("PYTHONPATH")] = encode(path)
    else:
        data.pop(encode("PYTHONPATH"), None)
