"""Settings from the environment, and the environment for the user's own commands."""

import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from coverage_spy.settings import ON

from .errors import TaskError
from .project import EXAMPLE, TOOL, Project

WAYS = ("mount", "image", "pth")
# How the user has called the recipe, without its name, and how the session: what a task says that can be typed.
JUST, USAGE = "COVERAGE_SPY_JUST", "COVERAGE_SPY_USAGE"


def is_true(value: str | None) -> bool:
    """Return whether a switch of the environment is on; the spy reads it by the same words."""
    word = (value or "").strip().lower()
    return word in ON


def way_of(environ: Mapping[str, str]) -> str:
    """Return how the spy gets in: one of WAYS. Raise TaskError when COVERAGE_SPY_INJECT is another word."""
    way = environ.get("COVERAGE_SPY_INJECT") or "mount"
    if way not in WAYS:
        raise TaskError(f"COVERAGE_SPY_INJECT is {way!r}: set it to mount, image or pth")
    return way


def timeout() -> float:
    """Return COVERAGE_SPY_TIMEOUT in seconds. Raise TaskError when it is no number of them."""
    value = os.environ.get("COVERAGE_SPY_TIMEOUT") or "120"
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise TaskError(f"COVERAGE_SPY_TIMEOUT is {value!r}: set it to a number of seconds")
    return seconds


def own_environment(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the user's own commands: `environ` without what only the tasks themselves need.

    That is scripts/ on PYTHONPATH and, below nox, the bin directory of the session's environment, which would
    hide the environment the user works in. The requirements of the example's tests are in the session, so it keeps it.
    """
    environment = {name: value for name, value in environ.items() if name not in (JUST, USAGE)}
    ours = {"PYTHONPATH": str(TOOL / "scripts")}
    if "NOX_CURRENT_SESSION" in environ and project.root != EXAMPLE:
        ours["PATH"] = str(Path(sys.prefix) / "bin")
    for name, directory in ours.items():
        kept = [part for part in environment.pop(name, "").split(os.pathsep) if part and part != directory]
        if kept:
            environment[name] = os.pathsep.join(kept)
    if "PATH" in ours:
        environment.pop("VIRTUAL_ENV", None)
    return environment
