"""What records: the interface of the engines, and which one measures this process."""

from __future__ import annotations

import sys

from .refusals import refusal

MONITORING = (3, 12)  # the first CPython with sys.monitoring

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from typing import Protocol

    from .journal import Journal
    from .scope import Scope

    class Engine(Protocol):
        """Made first, which raises Unavailable when it can't work here, and started when there is a journal."""

        name: str

        def start(self, journal: Journal) -> None:
            """Record everything that runs from here on, of all threads. Raises Unavailable."""

        def forked(self) -> None:
            """Go on in a forked child."""

        def flush(self) -> None:
            """Write what is not written yet; called before a fork, and before a signal to itself."""

        def leave(self) -> None:
            """Write what is not written yet, and END; called before an exec and before os._exit."""


class Unavailable(Exception):
    """An engine can't work in this interpreter; its `refusal` says why."""

    def __init__(self, code: str, *evidence: str) -> None:
        Exception.__init__(self, code)
        self.refusal = refusal(code, *evidence)


def choose(scope: Scope, branch: bool) -> Engine:
    """Return the engine, not yet started. Raises Unavailable."""
    if branch or sys.version_info < MONITORING:
        from .tracer import Tracer

        return Tracer(scope, branch)
    from .monitor import Monitor

    return Monitor(scope)
