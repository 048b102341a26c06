"""coverage-spy.yml: the settings that are the repository's own, written by its users and by no task."""

import os
import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from .errors import TaskError
from .files import ANYWHERE, read_text
from .project import COMPOSE_NAMES, OVERRIDE_NAMES, Project

NAME = "coverage-spy.yml"
LARGEST = 1 << 17  # bytes: each pattern in it is compared with each file
LEFT_OUT = f"left out in {NAME}"

LAST_PORT = 65535
_PORT = re.compile(r"\d{1,5}")
_ADDRESS = re.compile(r"https?://\S+|[\w.-]+:\d{1,5}|\[[\da-fA-F:]+\]:\d{1,5}")
_PROCESS = re.compile(r"^([\w-]+):", re.MULTILINE)


@dataclass(frozen=True)
class Thresholds:
    """What a run has to reach, in percent as coverage.py counts; None where nothing is said.

    `services` and `paths` are by name and by glob, `patch` is of the statements that changed since `compare_branch`,
    `unknown` how many files may be unknown, and `tolerance` how many points a number may fall below the baseline.
    """

    total: float | None = None
    services: Mapping[str, float] = field(default_factory=dict)
    paths: Mapping[str, float] = field(default_factory=dict)
    patch: float | None = None
    compare_branch: str = ""
    unknown: float | None = None
    tolerance: float = 0


@dataclass(frozen=True)
class Configuration:
    """What coverage-spy.yml says; empty where it says nothing.

    `test` is the test command, `leave_out` are the services that are not measured, `may_end` those that may end with an
    error before they are stopped. `ready` has by service the port, the address or the command that tells when it is.
    `sources` has (container path, repository path) pairs by service, `reports` is the directory that reports are
    written to, below the root. `lines` says where in the file a service is named first.
    """

    test: tuple[str, ...] = ()
    leave_out: frozenset[str] = frozenset()
    may_end: frozenset[str] = frozenset()
    ready: Mapping[str, int | str | tuple[str, ...]] = field(default_factory=dict)
    sources: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    reports: str = ""
    thresholds: Thresholds = Thresholds()
    lines: Mapping[str, int] = field(default_factory=dict)

    def require_services(self, services: Collection[str], project: Project) -> None:
        """Raise TaskError when a service is named that is neither among `services` nor defined by the project.

        It may be of a profile that is not active, or of the Procfile while containers run.
        """
        unknown = [name for name in self.lines if name not in services]
        known = {*services, *_defined(project)} if unknown else set(services)
        for name in unknown:
            if name not in known:
                raise _error(self.lines[name], f"there is no service {name!r}{_instead(name, known)}")


def read_configuration(root: Path) -> Configuration:
    """Return the settings of the repository `root`. Raise TaskError, with the line, when they cannot be taken so."""
    file = root / NAME
    if not file.exists():
        if (misnamed := file.with_suffix(".yaml")).exists():
            raise TaskError(f"{misnamed} is not read: rename it to {NAME}")
        return Configuration()
    try:
        node = yaml.compose(read_text(file, LARGEST, within=root), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _error(error.problem_mark, f"it is no YAML ({error.problem}): correct it") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise TaskError(f"{file} cannot be read ({' '.join(str(error).split())}): correct it") from None
    settings: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for key, value in _items(node, "the file", "settings") if node else ():
        name = _setting(key, _READERS)
        settings[name] = _READERS[key.value](value, root, lines)
    return Configuration(lines=lines, **settings)


def _test(node: yaml.Node, _root: Path, _lines: dict[str, int]) -> tuple[str, ...]:
    return _command(node, "test", "a command or a list of its words")


def _command(node: yaml.Node, what: str, belongs: str) -> tuple[str, ...]:
    if isinstance(node, yaml.SequenceNode):
        command = [_text(item, what) for item in node.value]
    else:
        try:
            command = shlex.split(_text(node, what, belongs))
        except ValueError as error:
            raise _error(node, f"{what} cannot be split into words ({error}): correct its quotes") from None
    if not command:
        raise _error(node, f"{what} is empty: give it a command, or remove it")
    return tuple(command)


def _ready(node: yaml.Node, _root: Path, lines: dict[str, int]) -> dict[str, int | str | tuple[str, ...]]:
    pairs = _items(node, "ready", "ports, addresses and commands")
    return {_service(name, "ready", lines): _condition(value, f"ready of {name.value}") for name, value in pairs}


def _condition(node: yaml.Node, what: str) -> int | str | tuple[str, ...]:
    value = node.value if isinstance(node, yaml.ScalarNode) else ""
    if _PORT.fullmatch(value):
        if not 0 < int(value) <= LAST_PORT:
            raise _error(node, f"{what} is {value}: make it a port from 1 to {LAST_PORT}")
        return int(value)
    if _ADDRESS.fullmatch(value):
        return str(value)
    return _command(node, what, "a port, an address, or a command")


def _leave_out(node: yaml.Node, _root: Path, lines: dict[str, int]) -> frozenset[str]:
    return _services(node, "leave-out", lines)


def _may_end(node: yaml.Node, _root: Path, lines: dict[str, int]) -> frozenset[str]:
    return _services(node, "may-end", lines)


def _services(node: yaml.Node, key: str, lines: dict[str, int]) -> frozenset[str]:
    if not isinstance(node, yaml.SequenceNode):
        raise _error(node, f"{key} is {_kind(node)}: make it a list of services")
    return frozenset(_service(item, key, lines) for item in node.value)


def _sources(node: yaml.Node, root: Path, lines: dict[str, int]) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        _service(service, "sources", lines): tuple(
            (_container_path(container), _repository_path(path, root))
            for container, path in _items(paths, f"sources of {service.value}", "container paths")
        )
        for service, paths in _items(node, "sources", "services")
    }


def _reports(node: yaml.Node, root: Path, _lines: dict[str, int]) -> str:
    path = os.path.normpath(_text(node, "reports", "a directory"))
    if path.split("/")[0] in ("", "..") or not (root / path).resolve().is_relative_to(root.resolve()):
        raise _error(node, f"{path} is not in the repository: give a path below {root}, relative to it")
    if (root / path).exists() and not (root / path).is_dir():
        raise _error(node, f"{path} is no directory: name one for reports")
    return path


def _thresholds(node: yaml.Node, _root: Path, lines: dict[str, int]) -> Thresholds:
    found = {
        _setting(key, _THRESHOLDS, "threshold"): _THRESHOLDS[key.value](value, f"thresholds.{key.value}", lines)
        for key, value in _items(node, "thresholds", "numbers")
    }
    return Thresholds(**found)


def _percent(node: yaml.Node, what: str, _lines: dict[str, int]) -> float:
    return _number(node, what, "a percentage from 0 to 100", 100)


def _count(node: yaml.Node, what: str, _lines: dict[str, int]) -> float:
    number = _number(node, what, "a number of files")
    if not number.is_integer():
        raise _error(node, f"{what} is {number}: make it a number of files")
    return number


def _of_services(node: yaml.Node, what: str, lines: dict[str, int]) -> dict[str, float]:
    pairs = _items(node, what, "percentages")
    return {_service(name, what, lines): _percent(value, what, lines) for name, value in pairs}


def _of_paths(node: yaml.Node, what: str, lines: dict[str, int]) -> dict[str, float]:
    return {key.value: _percent(value, what, lines) for key, value in _items(node, what, "percentages")}


def _branch(node: yaml.Node, what: str, _lines: dict[str, int]) -> str:
    return _text(node, what, "a branch")


_THRESHOLDS: Mapping[str, Callable[[yaml.Node, str, dict[str, int]], Any]] = {
    "compare-branch": _branch,
    "patch": _percent,
    "paths": _of_paths,
    "services": _of_services,
    "tolerance": _percent,
    "total": _percent,
    "unknown": _count,
}
_READERS: Mapping[str, Callable[[yaml.Node, Path, dict[str, int]], Any]] = {
    "leave-out": _leave_out,
    "may-end": _may_end,
    "ready": _ready,
    "reports": _reports,
    "sources": _sources,
    "test": _test,
    "thresholds": _thresholds,
}


def _setting(key: yaml.ScalarNode, known: Collection[str], what: str = "setting") -> str:
    """Return the name of a setting in Python."""
    if key.value not in known:
        raise _error(key, f"there is no {what} {key.value!r}{_instead(key.value, known)}")
    return str(key.value.replace("-", "_"))


def _number(node: yaml.Node, what: str, wanted: str, most: float = float("inf")) -> float:
    try:
        if isinstance(node, yaml.ScalarNode) and node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"):
            number = float(node.value)
            if 0 <= number <= most and number != float("inf"):
                return number
    except ValueError:
        pass  # YAML has numbers that nobody writes here, such as 1:30
    raise _error(node, f"{what} is {_kind(node)}: make it {wanted}")


def _service(node: yaml.Node, what: str, lines: dict[str, int]) -> str:
    name = _text(node, what)
    lines.setdefault(name, _line(node))
    return name


def _container_path(node: yaml.Node) -> str:
    path = str(node.value)
    if not path.startswith("/"):
        raise _error(node, f"{path!r} is no path in a container: let it begin with /")
    return os.path.normpath(path).replace("//", "/")


def _repository_path(node: yaml.Node, root: Path) -> str:
    path = os.path.normpath(_text(node, "sources"))
    if path.split("/")[0] in ("", ".."):
        raise _error(node, f"{path} is not in the repository: give a path below {root}, relative to it")
    if not (root / path).exists():
        raise _error(node, f"{path} does not exist in {root}: correct it, or remove it")
    return path


def _items(node: yaml.Node, what: str, of: str) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """Yield the pairs of a mapping, whose keys are strings and differ."""
    if not isinstance(node, yaml.MappingNode):
        raise _error(node, f"{what} is {_kind(node)}: make it a mapping of {of}")
    seen = set()
    for key, value in node.value:
        if _text(key, what) in seen:
            raise _error(key, f"{key.value} is there twice: remove one")
        seen.add(key.value)
        yield key, value


def _text(node: yaml.Node, what: str, wanted: str = "text") -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
        quoted = ", in quotes" if isinstance(node, yaml.ScalarNode) and node.value else ""
        raise _error(node, f"{what} has {_kind(node)} where {wanted} belongs: write it as such{quoted}")
    return str(node.value)


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(node.value) if node.value else "nothing"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping"


def _instead(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f": did you mean {close[0]}?" if close else f": known are {', '.join(sorted(known)) or 'none'}"


def _line(where: yaml.Node | yaml.Mark | int | None) -> int:
    if isinstance(where, int):
        return where
    mark = where.start_mark if isinstance(where, yaml.Node) else where
    return int(mark.line) + 1 if mark else 1


def _error(where: yaml.Node | yaml.Mark | int | None, sentence: str) -> TaskError:
    return TaskError(f"{NAME}, line {_line(where)}: {sentence}")


def _defined(project: Project) -> Iterator[str]:
    """Yield the services that the project's files name, as they stand there: nothing is resolved."""
    directory = project.root
    for file in {*project.files, *(directory / name for name in (*COMPOSE_NAMES, *OVERRIDE_NAMES, "Procfile"))}:
        try:
            text = read_text(file, within=ANYWHERE)
            if file.name == "Procfile":
                yield from _PROCESS.findall(text)
            else:
                yield from _keys(_value(yaml.compose(text, Loader=yaml.SafeLoader), "services"))
        except (TaskError, OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
            continue


def _pairs(node: yaml.Node | None) -> Sequence[tuple[yaml.Node, yaml.Node]]:
    return node.value if isinstance(node, yaml.MappingNode) else ()


def _value(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _pairs(node) if key.value == name), None)


def _keys(node: yaml.Node | None) -> Iterator[str]:
    return (str(key.value) for key, _ in _pairs(node))
