"""The record of a stack, stack.json: which services were started, how, and whether they were stopped."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex

from ..errors import TaskError
from ..records import OtherVersion, RecordError, read_record, write_record

FILE = "stack.json"
VERSION = 5


@dataclass(frozen=True)
class ServiceRecord:
    """A service as it was started.

    `reason` says why it is not measured. Of a container: `image` is the name that it runs from, `platform` what it asks
    for, `content` what Image.content is, `ids` what the engine calls the image, `derived` whether that has the spy in
    it; `binds` and `copied` are those of Service; `fallback`: it could not write to its directory of journals. Of a
    line of a Procfile: its process with the TCP `ports` it is to listen on, its `exit_code` once it is known to have
    ended (-1 where nobody learned it), and when that was seen.
    """

    measured: bool = True
    reason: str = ""
    interpreters: tuple[str, ...] = ()
    image: str = ""
    platform: str = ""
    content: str = ""
    ids: tuple[str, ...] = ()
    derived: bool = False
    binds: tuple[tuple[str, str], ...] = ()
    copied: tuple[tuple[str, str], ...] = ()
    fallback: bool = False
    pid: int = 0
    born: str = ""
    ports: tuple[int, ...] = ()
    exit_code: int | None = None
    ended: float = 0.0


@dataclass(frozen=True)
class Stack:
    """What was started: `runtime` says by which, `name` is its name there; times are in seconds since the epoch.

    `on_host`: its processes run on the repository itself, so their paths are the repository's. `run` tells it from
    every other one; times can't, clocks are set.
    """

    runtime: str
    name: str
    on_host: bool
    services: dict[str, ServiceRecord] = field(default_factory=dict)
    started: float = field(default_factory=time.time)
    ended: float | None = None
    run: str = field(default_factory=lambda: token_hex(8))

    @property
    def measured(self) -> list[str]:
        """The names of the services that are measured."""
        return [name for name, service in self.services.items() if service.measured]

    def having(self, name: str, **changes: object) -> "Stack":
        """Return the same, with changes to one service."""
        return replace(self, services={**self.services, name: replace(self.services[name], **changes)})  # type: ignore[arg-type]


def read_stack(data: Path) -> Stack | None:
    """Return the record of the last stack, None without one. Raise TaskError when it cannot be read."""
    try:
        return read_record(data / FILE, Stack, VERSION)
    except FileNotFoundError:
        return None
    except RecordError as error:
        if isinstance(error, OtherVersion):
            if error.found.get("ended"):
                return None  # its run needs nothing any more
            raise TaskError(
                f"{data / FILE} is of a stack that another version of coverage-spy started: stop it with that version, "
                "or by `docker compose -p NAME down` with its name of `docker compose ls`, and remove the file"
            ) from None
        raise TaskError(f"{data / FILE} cannot be read ({error}): remove it") from None


def write_stack(data: Path, stack: Stack) -> None:
    """Keep the record. Raise TaskError when that is impossible; the one before stays."""
    try:
        write_record(data / FILE, stack, VERSION)
    except OSError as error:
        raise TaskError(f"cannot write {data / FILE} ({error.strerror}): make room there") from None
