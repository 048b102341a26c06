"""What a runtime does, and the table of runtimes: a module is one. Everything after the start goes by the record."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Protocol, cast

from ..errors import TaskError
from ..project import Project
from ..recorded.sightings import Place, Signals
from ..recorded.stack import FILE, Stack
from .waiting import Look

# The module of each, by the name that COVERAGE_SPY_RUNTIME and the record of a stack have.
RUNTIMES = {"compose": ".compose.runtime", "procfile": ".procfile"}


class Runtime(Protocol):
    """A module that runs services. The functions without a project work whatever has become of its files."""

    def problem(self) -> str:
        """Return why nothing can run here, as the beginning of a sentence with its remedy; "" when all is well."""

    def start(self, project: Project, build: bool, fresh: bool, /) -> None:
        """Start the services, and write the record before anything runs that `stop` would have to stop.

        `build`: build what they run from first. `fresh`: this run keeps nothing of the one before.
        """

    def look(self, project: Project, stack: Stack) -> Look:
        """Look once."""

    def watched(self, stack: Stack) -> AbstractContextManager[None]:
        """Return what has to be done while somebody waits for the services."""

    def remains(self, stack: Stack) -> bool:
        """Return whether there is something to look at, running or not."""

    def is_running(self, stack: Stack) -> bool:
        """Return whether there is something to stop."""

    def environment(self, project: Project, stack: Stack) -> dict[str, str]:
        """Return what the test command gets to reach the services."""

    def places(self, stack: Stack, signals: Signals) -> Iterable[Place]:
        """Yield where processes of services run, with those that are seen there now."""

    def fetch(self, project: Project, stack: Stack) -> Stack:
        """Bring journals that lie elsewhere into the data directory. Return the record with what that has shown."""

    def stop(self, project: Project, stack: Stack, collect: Callable[[Signals], None], proven: bool) -> None:
        """Stop the services, and remove what was started; `collect` is called in between.

        `proven`: say what measuring changed.
        """

    def discard(self, stack: Stack) -> None:
        """Remove what a stack keeps for its data."""


def runtime_named(name: str) -> Runtime:
    """Return a runtime by its name. Only the one that is needed is loaded."""
    return cast(Runtime, import_module(RUNTIMES[name], __package__))


def runtime_of(stack: Stack) -> Runtime:
    """Return the runtime that started a stack, whatever is set now. Raise TaskError when there is none of its name."""
    if stack.runtime not in RUNTIMES:
        raise TaskError(f"the last stack was started by {stack.runtime!r}, which is no runtime: remove {FILE}")
    return runtime_named(stack.runtime)
