"""What the engine, or the operating system, knows of each place where a service runs: its end, and who ran there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..progress import say
from ..project import Project
from ..records import RecordError, read_record, write_record

FILE = "sightings.json"
VERSION = 2

KILLED, TERMINATED = 128 + 9, 128 + 15
UNKNOWN = -1  # the exit code that nobody learned
# Between a signal and the engine's note of it, in seconds.
SLACK = 0.5
# So many starts of one place are a loop: nobody waits for it any longer.
RESTARTS = 3
# Id of a container -> when it got its first signal, in seconds since the epoch.
Signals = Mapping[str, float]
NO_SIGNALS: Signals = {}


@dataclass(frozen=True)
class Sighting:
    """A Python process that was seen to run.

    `pid` is as the process itself sees it, 0 where that can't be told; `started` is in seconds since the epoch, to the
    second. `command` ends with the script or module: what follows may hold secrets.
    """

    pid: int
    started: int
    command: str


@dataclass(frozen=True)
class Place:
    """Where processes of a service run: a container, or the process group of a line of the Procfile.

    `started` is its last start, 0 when it was made and never started, perhaps since compose `waited_for` others.
    `exit_code` is None while it runs, and -1 where nobody learned it; `ended` is when that was, and `told` when it got
    the first signal to stop, 0 without one. `error` is the import that failed when that ended it. `cut_short`:
    something killed it that was not the end of its grace period. `memory` is its limit in bytes, 0 without one.
    `check` is the last output of a health check that fails. `seen` are the Python processes that were seen there at any
    time, `programs` what else was. `failure` is the last exit code, not 0, with which it was seen to have ended before
    it was told to stop.
    """

    name: str
    service: str
    host: str
    command: str
    started: float
    exit_code: int | None
    restarts: int = 0
    oom_killed: bool = False
    cut_short: bool = False
    memory: int = 0
    error: str = ""
    seen: tuple[Sighting, ...] = ()
    ended: float = 0.0
    told: float = 0.0
    health: str = ""
    check: str = ""
    waited_for: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    failure: int = 0

    @property
    def died(self) -> bool:
        """Whether it ended with an error before it was told to stop."""
        if not self.started or self.exit_code in (None, 0, UNKNOWN):
            return False
        # The engine may note the signal a moment after the end that it brought about.
        early = SLACK if self.exit_code in (KILLED, TERMINATED) else 0
        return not self.told or self.ended < self.told - early

    @property
    def loops(self) -> bool:
        """Whether it failed and was started again and again; a job that ends well may be."""
        return self.restarts >= RESTARTS and bool(self.failure)


@dataclass(frozen=True)
class _Sightings:
    places: tuple[Place, ...]


def add_sightings(project: Project, places: Iterable[Place]) -> None:
    """Add what is seen now to what was seen before."""
    known = {(place.name, place.host): place for place in read_sightings(project)}
    for place in places:
        key = place.name, place.host
        before = known.get(key, place)
        known[key] = replace(
            place,
            seen=tuple(_merged(before.seen, place.seen)),
            programs=tuple(dict.fromkeys((*before.programs, *place.programs))),
            health=place.health or before.health,
            check=place.check or before.check,
            failure=place.failure or before.failure,
        )
    file = project.state / FILE
    try:
        write_record(file, _Sightings(tuple(known.values())), VERSION)
    except OSError as error:  # no reason to leave the stack running
        say(f"cannot write {file} ({error.strerror}): processes without a receipt will not be named")


def read_sightings(project: Project) -> tuple[Place, ...]:
    """Return the places that were seen; none when nothing looked, or what was written is damaged."""
    try:
        return read_record(project.state / FILE, _Sightings, VERSION).places
    except (FileNotFoundError, RecordError):
        return ()


def forget_sightings(data: Path) -> None:
    """Remove them, for a run that keeps nothing of the one before."""
    (data / FILE).unlink(missing_ok=True)


def _merged(before: Iterable[Sighting], now: Iterable[Sighting]) -> Iterable[Sighting]:
    # Ages come in whole seconds, so one process may seem to have begun in either of two.
    now = list(now)
    for old in before:
        if not any(
            (new.pid, new.command) == (old.pid, old.command) and abs(new.started - old.started) <= 1 for new in now
        ):
            yield old
    yield from now
