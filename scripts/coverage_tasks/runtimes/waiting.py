"""Waiting until services are ready, or one has died."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..errors import TaskError
from ..progress import Stage, hidden, say
from ..settings import timeout
from ..text import counted, printable

POLL_SECONDS = 0.3
# A service without a health check counts as ready when it has been up for this long.
SETTLED_SECONDS = 1.0


class ServiceDied(TaskError):
    """A service ended with an error, or its health check fails."""


class Look(NamedTuple):
    """What one look at a stack shows: what is `awaited`, in words, and when each place was last started."""

    awaited: list[str]
    starts: Mapping[str, float]


def wait(look: Callable[[], Look]) -> None:
    """Wait until `look` names nothing that is awaited. Raise TaskError after COVERAGE_SPY_TIMEOUT seconds."""
    deadline = time.monotonic() + timeout()
    since: float | None = None
    starts: Mapping[str, float] | None = None
    with Stage("waiting for the services") as stage:
        while True:
            before = starts
            waiting, starts = look()
            stage.text = f"waiting for the services: {', '.join(waiting)}" if waiting else "waiting for the services"
            # One that dies and is started again and again is up at many a look.
            since = None if waiting or starts != before else since or time.monotonic()
            if since and time.monotonic() - since >= SETTLED_SECONDS:
                return
            if not since and time.monotonic() > deadline:
                raise TaskError(_not_ready(waiting))
            time.sleep(POLL_SECONDS)


def _not_ready(waiting: Sequence[str]) -> str:
    awaited = ", ".join(waiting) or "a container is started again and again"
    return f"not ready after {timeout():g} s: {awaited}; correct this or raise COVERAGE_SPY_TIMEOUT"


def say_what_is_measured(reasons: Mapping[str, str]) -> None:
    """Say which services are not measured: `reasons` has an empty one for those that are."""
    for name, reason in reasons.items():
        if reason:
            say(f"{name} is not measured: {reason}")
    say(f"starting {counted(len(reasons), 'service')}")


def died(service: str, log: str, how: str) -> None:
    """Print the last lines of a service's log, and raise ServiceDied."""
    with hidden():
        lines = [f"| {printable(line)}" for line in log.splitlines()[-50:]]
        print(f"--- the last lines of {service} ---", *lines, "---", sep="\n", file=sys.stderr)
    raise ServiceDied(f"the service {service} has died{f' ({how})' * bool(how)}: its last lines are above; correct it")
