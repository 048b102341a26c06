"""What a situation is: a directory with a small application, and situation.toml, which says how to run it."""

import signal
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from machine import number

HERE = Path(__file__).resolve().parent / "situations"
IDLE = 0.25  # seconds between the text that a signal waits for and the signal: the tracer flushes every 0.1 s


@dataclass(frozen=True)
class Signal:
    """`send` goes to the main process, or to the one that printed "<to>: <pid>", when `after` was printed.

    after: a text of stdout or stderr, or seconds since the step before. idle: seconds to wait on top of that.
    """

    send: str
    after: str | float = "ready"
    to: str = ""
    idle: float = IDLE

    @property
    def number(self) -> int:
        """The number of the signal."""
        return signal.Signals[self.send]


@dataclass(frozen=True)
class Request:
    """An HTTP request to the port that the situation was given; tried until something listens there."""

    path: str = "/"
    after: str = ""
    method: str = "GET"
    body: str = ""
    times: int = 1


@dataclass(frozen=True)
class Helper:
    """A program that the application needs beside it and that nobody measures, such as a database.

    makes: the file, in the application's directory, by which it shows that it is ready.
    """

    command: tuple[str, ...]
    makes: str


@dataclass(frozen=True)
class Situation:
    """One situation; the fields up to `image` are the keys of situation.toml.

    requires: packages; when there is no such key, those of the group's requirements.txt. programs: Debian's.
    """

    says: str
    command: tuple[str, ...] = ("python", "app.py")
    environment: dict[str, str] = field(default_factory=dict)
    requests: tuple[Request, ...] = ()
    signals: tuple[Signal, ...] = ()
    helpers: tuple[Helper, ...] = ()
    requires: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    versions: str = ""
    pth: str = ""  # why COVERAGE_SPY_INJECT=pth is needed
    places: dict[str, str] = field(default_factory=dict)  # where code is found at run time -> where it is in here
    concurrency: str = "thread,multiprocessing"  # what coverage.py is told
    limit: float = 20.0  # seconds until it counts as hanging
    waits: float = 0.0  # seconds by which two runs may differ, because it looks for events only now and then
    unknown: str = ""
    tracer: str = ""
    disk: str = ""  # "btrfs": the data lies on one of its own, which has room for 40 MB
    image: dict[str, Any] = field(default_factory=dict)  # a container's description; empty: a process
    directory: Path = HERE
    group: str = ""

    @property
    def name(self) -> str:
        """Its group and its directory's name, as --only matches them."""
        return f"{self.group}/{self.directory.name}"

    def exists_on(self, version: str) -> bool:
        """Whether `versions` (">=3.9,<3.13") holds for a Python such as "3.12"."""
        compare = {">=": lambda a, b: a >= b, "<": lambda a, b: a < b}
        for part in filter(None, self.versions.replace(" ", "").split(",")):
            operator = ">=" if part.startswith(">=") else "<"
            if not compare[operator](number(version), number(part.removeprefix(operator))):
                return False
        return True

    def marked(self, mark: str) -> dict[str, set[int]]:
        """Return the lines of each file that end with a mark, "# runs" or "# never"."""
        found = {}
        for path in sorted(self.directory.rglob("*.py")):
            lines = {n for n, line in enumerate(path.read_text().splitlines(), 1) if line.rstrip().endswith(mark)}
            if lines:
                found[path.relative_to(self.directory).as_posix()] = lines
        return found


def load(directory: Path) -> Situation:
    """Read a situation. Raises ValueError with the file's name when a key is unknown or nothing is marked."""
    file = directory / "situation.toml"
    keys = tomllib.loads(file.read_text())
    unknown = keys.keys() - {f.name for f in fields(Situation)} | keys.keys() & {"directory", "group"}
    if unknown:
        raise ValueError(f"{file}: there is no key {sorted(unknown)[0]}")
    for name, kind in (("signals", Signal), ("requests", Request), ("helpers", Helper)):
        keys[name] = tuple(kind(**entry) for entry in keys.get(name, ()))
    shared = directory.parent / "requirements.txt"
    if "requires" not in keys and shared.exists():
        keys["requires"] = shared.read_text().splitlines()
    for name in ("command", "requires", "programs"):
        if name in keys:
            keys[name] = tuple(keys[name])
    situation = Situation(**keys, directory=directory, group=directory.parent.name)
    if not situation.marked("# runs"):
        raise ValueError(f"{directory}: no line is marked `# runs`, so nothing could be lost")
    return situation


def load_all(root: Path = HERE) -> list[Situation]:
    """Read all situations, in the order of their groups' and their own names."""
    return [load(file.parent) for file in sorted(root.glob("*/*/situation.toml"))]
