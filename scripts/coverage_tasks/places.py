"""Where our files lie: this user's cache, and the state of each checkout's runs, both outside of every checkout.

A file in a checkout is seen by containers that have it mounted, by a reloader that watches it, and by the next build.
"""

import os
from hashlib import sha256
from pathlib import Path

from .errors import TaskError

NAME = "coverage-spy"


def cache_directory() -> Path:
    """Return where this user's tasks keep what all checkouts share; COVERAGE_SPY_CACHE decides otherwise."""
    from platformdirs import user_cache_path  # nox imports this module, and need not have it

    try:
        return Path(os.environ.get("COVERAGE_SPY_CACHE") or user_cache_path(NAME))
    except RuntimeError:  # a user without a home: nothing can be kept below a file
        return Path(os.devnull, "cache")


def state_directory(root: Path) -> Path:
    """Return where the state of a checkout's runs is; COVERAGE_SPY_STATE decides otherwise.

    Raise TaskError when that is a relative path or holds the checkout, or there is no home to keep it in.
    """
    from platformdirs import user_state_path

    if chosen := os.environ.get("COVERAGE_SPY_STATE"):
        place = Path(chosen)
        if not place.is_absolute() or ".." in place.parts or root.is_relative_to(place.resolve()):
            raise TaskError(f"COVERAGE_SPY_STATE is {chosen!r}: set it to the absolute path of a directory of its own")
        return place
    try:
        states = user_state_path(NAME)
    except RuntimeError:
        raise TaskError(
            "you have no home directory to keep the state of runs in: set COVERAGE_SPY_STATE to a directory outside "
            f"{root}"
        ) from None
    return states / f"{root.name[:50]}-{sha256(os.fsencode(root)).hexdigest()[:12]}"
