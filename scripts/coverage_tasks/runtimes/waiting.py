"""Waiting until every service is ready, or has failed: died, unhealthy, never started, started again and again."""

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


class Failure(NamedTuple):
    """A service that is not ready and will not be: `how`, as the end of a sentence, and the `log` that shows why.

    `source` says what wrote the log.
    """

    service: str
    how: str
    log: str = ""
    source: str = ""


class Look(NamedTuple):
    """What one look at a stack shows: what is `awaited`, in words, when each place was last started, and what failed.

    `unchecked` are the services that have no health check, for which to be ready is to run.
    """

    awaited: list[str]
    starts: Mapping[str, float]
    failures: Sequence[Failure] = ()
    unchecked: Sequence[str] = ()


def wait(look: Callable[[], Look]) -> Look:
    """Wait until `look` names nothing that is awaited, and print why a service failed as soon as one did.

    Return the last look. Raise TaskError after COVERAGE_SPY_TIMEOUT seconds.
    """
    deadline = time.monotonic() + timeout()
    since: float | None = None
    starts: Mapping[str, float] | None = None
    shown: set[str] = set()
    with Stage("waiting for the services") as stage:
        while True:
            before = starts
            found = look()
            starts = found.starts
            for failure in found.failures:
                if failure.service not in shown:
                    shown.add(failure.service)
                    _show(failure)
            words = ", ".join(found.awaited)
            stage.text = f"waiting for the services: {words}" if words else "waiting for the services"
            # One that dies and is started again and again is up at many a look.
            since = None if words or starts != before else since or time.monotonic()
            if since and time.monotonic() - since >= SETTLED_SECONDS:
                return found
            if not since and time.monotonic() > deadline:
                raise TaskError(_not_ready(found.awaited))
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


def _show(failure: Failure) -> None:
    lines = [f"| {printable(line)}" for line in failure.log.splitlines()[-50:]]
    with hidden():
        if lines:
            print(f"--- the last lines of {failure.source} ---", *lines, "---", sep="\n", file=sys.stderr)
    say(f"the service {failure.service} {failure.how}{': its last lines are above' * bool(lines)}")
