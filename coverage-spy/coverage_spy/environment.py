"""The spy's variables in the environment of this process, and how the application does not see them.

Parses on every Python from 2.7 on.
"""

import os

VARIABLES = ("COVERAGE_ENABLE", "COVERAGE_FILE", "COVERAGE_SOURCE", "COVERAGE_OMIT", "COVERAGE_BRANCH")
PREFIX = "COVERAGE_SPY_"
GIVEN = "COVERAGE_SPY_GIVEN_"  # before a name of VARIABLES: what an application gave its child under that name


def own_variables():
    """Return the spy's variables, PYTHONPATH not among them, as a dict."""
    return {
        name: os.environ[name]
        for name in os.environ
        if name in VARIABLES or (name.startswith(PREFIX) and not name.startswith(GIVEN))
    }


def without_spy(path, spy):
    """Return a PYTHONPATH without the spy's directory."""
    return os.pathsep.join(part for part in path.split(os.pathsep) if part.rstrip("/") != spy)


def hide(spy):
    """Take the spy's variables out of `os.environ`, and out of nothing else; what they stand before comes back.

    `del os.environ[name]` would take them out of the C library's environment too, which children inherit.
    """
    data = getattr(os.environ, "_data" if hasattr(os.environ, "_data") else "data")  # the second in Python 2
    encode = getattr(os.environ, "encodekey", str)
    for name in own_variables():
        data.pop(encode(name), None)
    for name in [name for name in os.environ if name.startswith(GIVEN)]:
        data[encode(name[len(GIVEN) :])] = data.pop(encode(name))
    path = without_spy(os.environ.get("PYTHONPATH", ""), spy)
    if path:
        data[encode("PYTHONPATH")] = encode(path)
    else:
        data.pop(encode("PYTHONPATH"), None)
