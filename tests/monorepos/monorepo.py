"""What a monorepo is: a directory with somebody's repository, and expected.yml, which says what a run must find."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
MARK = re.compile(r"# runs(?: in (?P<services>[\w., -]+))?$")


@dataclass(frozen=True)
class Service:
    """What is known of one service in the end, in repository paths; `unmapped` in its container's.

    runs: files that were imported; of their lines those ran that are marked `# runs` or `# runs in web, worker`.
    never_imported: files that count, with no line, whatever is marked in them. reason: why it is not measured.
    """

    runs: tuple[str, ...] = ()
    never_imported: tuple[str, ...] = ()
    unknown: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Monorepo:
    """One repository; the fields are the keys of expected.yml.

    test: the test command. findings: how each of them begins. name: of the compose project, where the repository sets
    it. environ: what its developers have set. networks, volumes: what they have made beforehand. submodules: directories
    that are repositories of their own. git: whether the copy is a git repository. engine: the first version of Docker's
    engine that can build it. fails: why it cannot pass.
    """

    says: str
    test: tuple[str, ...]
    services: dict[str, Service]
    findings: tuple[str, ...] = ()
    name: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    git: bool = True
    engine: int = 0
    fails: str = ""
    directory: Path = HERE

    def marked(self, path: str, service: str) -> list[int]:
        """Return the numbers of the lines of a file that run in a service."""
        lines = (self.directory / path).read_text().splitlines()
        marks = ((number, MARK.search(line)) for number, line in enumerate(lines, 1))
        return [n for n, mark in marks if mark and (not mark["services"] or service in mark["services"].split(", "))]


def load(directory: Path) -> Monorepo:
    """Read one. Raises ValueError when a key is unknown, a file is not there or a line names no service."""
    file = directory / "expected.yml"
    keys = yaml.safe_load(file.read_text())
    services = {name: _read(Service, entry or {}, file) for name, entry in keys.pop("services").items()}
    monorepo: Monorepo = _read(Monorepo, keys | {"services": services, "directory": directory}, file)
    named = {path for service in services.values() for path in (*service.runs, *service.never_imported)}
    for path in named:
        if not (directory / path).is_file():
            raise ValueError(f"{file}: there is no {path}")
    for path in directory.rglob("*.py"):
        for line in path.read_text().splitlines():
            mark = MARK.search(line)
            if mark and mark["services"] and not {*mark["services"].split(", ")} <= services.keys():
                raise ValueError(f"{path}: no such service: {line}")
    return monorepo


def load_all(root: Path = HERE) -> Iterator[Monorepo]:
    """Read all, in the order of their names."""
    return (load(file.parent) for file in sorted(root.glob("*/expected.yml")))


def _read(kind: Any, keys: dict[str, Any], file: Path) -> Any:
    unknown = keys.keys() - {f.name for f in fields(kind)}
    if unknown:
        raise ValueError(f"{file}: there is no key {min(unknown)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in keys.items()})
