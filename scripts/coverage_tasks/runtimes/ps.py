"""The lines that ps writes, as sightings."""

import re
import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..recorded.sightings import Sighting
from .command_lines import is_python, shown

INITS = ("", "docker-init", "tini", "dumb-init", "catatonit")  # they only start what a container is for
LONGEST = 50  # characters of a name, which may be anything

# What is shorter than a second comes as 1.5ms, 1.5µs or 1ns.
_DURATION = re.compile(r"(?:(?P<h>\d+)h)?(?:(?P<m>\d+)m)?(?:(?P<s>\d+)(?:\.\d+)?s|[\d.]+[mµn]s)")


def sightings(listed: Iterable[str], container: str = "") -> Iterable[Sighting]:
    """Yield the Python processes among the lines of `ps -o pid,etime,args`."""
    now = time.time()
    for line in listed:
        pid, age, *words = line.split()
        # One that has just begun may still be a fork on its way to another program.
        if _seconds(age) and words and is_python(words[0]):
            seen = _inner_pid(int(pid), container) if container else int(pid)
            yield Sighting(seen, int(now - _seconds(age)), shown(words))


def programs(listed: Iterable[str]) -> Iterable[str]:
    """Yield the names of the other programs among the lines of `ps -o pid,etime,args`."""
    for line in listed:
        _, age, *words = line.split()
        name = PurePosixPath(words[0]).name if words else ""
        if _seconds(age) and name not in INITS and not is_python(words[0]):
            yield name[:LONGEST]


def _seconds(age: str) -> int:
    """Return the seconds of ps' [[days-]hours:]minutes:seconds, or of podman's 1h2m3.4s."""
    if found := _DURATION.fullmatch(age):
        return sum(int(found[unit] or 0) * seconds for unit, seconds in (("h", 3600), ("m", 60), ("s", 1)))
    days, _, clock = age.rpartition("-")
    seconds = 0
    for part in clock.split(":"):
        seconds = 60 * seconds + int(part)
    return int(days or 0) * 86400 + seconds


def _inner_pid(pid: int, container: str) -> int:
    """Return the pid in the innermost namespace. /proc is another machine's business when the engine runs elsewhere."""
    try:
        process = Path(f"/proc/{pid}")
        if container not in (process / "cgroup").read_text():
            return 0
        (numbers,) = re.findall(r"^NSpid:\s*(.+)$", (process / "status").read_text(), re.MULTILINE)
        return int(numbers.split()[-1])
    except (OSError, ValueError):
        return 0
