"""What the engine, or the system, itself knows of a stack's processes: receipts are checked against it."""

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import compose, procfile
from .commands import is_python, shown
from .files import read_json
from .project import Project, beside, say

KILLED = 128 + 9
# Between a signal and the engine's note of it, in seconds.
SLACK = 0.5
NOBODY: Mapping[str, float] = {}
# What is shorter than a second comes as 1.5ms, 1.5µs or 1ns.
_DURATION = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)(?:\.\d+)?s|[\d.]+[mµn]s)")
_IMPORT_ERROR = re.compile(r"^(?:ModuleNotFoundError|ImportError): .*", re.MULTILINE)


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

    `started` is its last start, `error` the import that failed when that ended it; `seen` are the Python processes that
    were seen there at any time. `cut_short`: something killed it that was not the end of its grace period. `memory` is
    its limit in bytes, 0 without one.
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


def take_census(project: Project, state: Mapping[str, Any], signals: Mapping[str, float] = NOBODY) -> None:
    """Look at every place of the stack, and add what is new to coverage-data/census.json.

    `signals` are of compose.stop().
    """
    known = {(place.name, place.host): place for place in read_census(project)}
    for place in _containers(state, signals) if state["runtime"] == "compose" else _groups(state):
        key = place.name, place.host
        before = known[key].seen if key in known else ()
        known[key] = replace(place, seen=tuple(_merged(before, place.seen)))
    try:
        with beside(_file(project.data)) as file:
            file.write_text(json.dumps([asdict(place) for place in known.values()], indent=1) + "\n")
    except OSError as error:  # no reason to leave the stack running
        say(f"cannot write {_file(project.data)} ({error.strerror}): processes without a receipt will not be named")


def read_census(project: Project) -> list[Place]:
    """The places that were seen; none when nobody looked, or what was written is not readable any more."""
    try:
        found = read_json(_file(project.data))
        return [Place(**{**place, "seen": tuple(Sighting(**seen) for seen in place["seen"])}) for place in found]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def forget_census(data: Path) -> None:
    """Begin anew, for a run that keeps nothing of the one before."""
    _file(data).unlink(missing_ok=True)


def _file(data: Path) -> Path:
    return data / "census.json"


def _merged(before: Iterable[Sighting], now: Iterable[Sighting]) -> Iterable[Sighting]:
    # Ages come in whole seconds, so one process may seem to have begun in either of two.
    now = list(now)
    for old in before:
        if not any(
            (new.pid, new.command) == (old.pid, old.command) and abs(new.started - old.started) <= 1 for new in now
        ):
            yield old
    yield from now


def _containers(state: Mapping[str, Any], signals: Mapping[str, float]) -> Iterable[Place]:
    for container in compose.containers(state["project"]):
        measured = state["services"].get(container.service, {}).get("measured")
        if measured and container.started:
            running = container.state in ("running", "paused")
            yield Place(
                name=container.name,
                service=container.service,
                host=container.host,
                command=shown(container.command),
                started=container.started,
                exit_code=None if running else container.exit_code,
                restarts=container.restarts,
                oom_killed=container.oom_killed,
                cut_short=not running and _was_cut_short(container, signals.get(container.id)),
                memory=container.memory,
                error="" if running or not container.exit_code else _import_error(container.id),
                seen=tuple(_sightings(compose.processes(container.id), container.id)) if running else (),
            )


def _was_cut_short(container: compose.Container, told: float | None) -> bool:
    """Whether SIGKILL ended it before it was told to stop, or while it had time left."""
    return container.exit_code == KILLED and (told is None or container.ended - told < container.grace - SLACK)


def _import_error(container: str) -> str:
    return next(reversed(_IMPORT_ERROR.findall(compose.logs(container))), "")


def _groups(state: Mapping[str, Any]) -> Iterable[Place]:
    for name, entry in state["services"].items():
        if entry.get("measured") and "pid" in entry:
            seen = tuple(_sightings(procfile.members(entry["pid"])))
            yield Place(name, name, "", "", state["started"], None, seen=seen)


def _sightings(listed: Iterable[str], container: str = "") -> Iterable[Sighting]:
    """The Python processes among the lines of `ps -o pid,etime,args`."""
    now = time.time()
    for line in listed:
        pid, age, *words = line.split()
        # One that has just begun may still be a fork on its way to another program.
        if _seconds(age) and words and is_python(words[0]):
            seen = _inner_pid(int(pid), container) if container else int(pid)
            yield Sighting(seen, int(now - _seconds(age)), shown(words))


def _seconds(age: str) -> int:
    """Seconds of ps' [[days-]hours:]minutes:seconds, or of podman's 1h2m3.4s."""
    if found := _DURATION.fullmatch(age):
        return sum(int(found[unit] or 0) * seconds for unit, seconds in (("h", 3600), ("m", 60), ("s", 1)))
    days, _, clock = age.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return int(days or 0) * 86400 + seconds


def _inner_pid(pid: int, container: str) -> int:
    """The pid in the innermost namespace. /proc is another machine's business when the engine runs elsewhere."""
    try:
        process = Path(f"/proc/{pid}")
        if container not in (process / "cgroup").read_text():
            return 0
        (numbers,) = re.findall(r"^NSpid:\s*(.+)$", (process / "status").read_text(), re.MULTILINE)
        return int(numbers.split()[-1])
    except (OSError, ValueError):
        return 0
