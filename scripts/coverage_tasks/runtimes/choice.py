"""Which repository is measured, and by which runtime."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from shlex import quote

from ..errors import TaskError
from ..files import ANYWHERE, read_text
from ..places import state_directory
from ..project import COMPOSE_NAMES, OVERRIDE_NAMES, Project, first_of, may_name_compose_files
from ..recorded.stack import read_stack
from ..sources.repository import NOT_SOURCE
from .runtime import RUNTIMES, runtime_named

WINDOWS = sys.platform == "win32"
# Files that are looked at, and those that are named, when the root has no compose file.
MOST_FILES = 1000
MOST_CANDIDATES = 3

_SERVICES = re.compile(r"^services:", re.MULTILINE)


def find_project(cwd: Path, environ: Mapping[str, str], reads: bool = False) -> Project:
    """Return the project in `cwd`: its compose files where an engine answers, else its Procfile.

    COVERAGE_SPY_RUNTIME (`compose`, `procfile`) decides otherwise. Processes of a Procfile that run keep it, and who
    only `reads` takes what the recorded run had: reports are made where there is no engine, too.
    Raise TaskError when there is nothing to run.
    """
    if WINDOWS:
        raise TaskError("on Windows coverage-spy runs inside WSL: clone the repository there, and start the task there")
    root = cwd.resolve()
    wanted = environ.get("COVERAGE_SPY_RUNTIME") or "auto"
    if wanted not in ("auto", *RUNTIMES):
        raise TaskError(f"COVERAGE_SPY_RUNTIME is {wanted!r}: set it to auto, compose or procfile")
    compose_files = _compose_files(root, environ) if wanted != "procfile" else ()
    if wanted == "auto":
        recorded, ended = _recorded_run(root)
        if (reads and ended) or (recorded == "procfile" and not ended):
            wanted = recorded
    procfile = root / "Procfile"
    if compose_files and (wanted == "compose" or (wanted == "auto" and _engine_answers(procfile))):
        return Project(root, "compose", compose_files)
    if procfile.is_file() and wanted != "compose":
        return Project(root, "procfile", (procfile,))
    name_it = f"name it in COMPOSE_FILE{_such_as(root)}"
    raise TaskError(
        {
            "compose": f"there is no compose file in {root}: add one, or {name_it}",
            "procfile": f"there is no Procfile in {root}: add one with a line `name: command` per service",
            "auto": f"there is neither a compose file nor a Procfile in {root}: where the compose file lies elsewhere, "
            f"{name_it}, or add a Procfile with a line `name: command` per service",
        }[wanted]
    )


def _such_as(root: Path) -> str:
    """Return what COMPOSE_FILE may be meant to say: compose files in folders of the repository, the nearest first."""
    files = islice(_in_folders(root), MOST_FILES)
    names = islice((file.relative_to(root).as_posix() for file in files if _has_services(file)), MOST_CANDIDATES)
    said = " or ".join(f"COMPOSE_FILE={quote(name)}" for name in names)
    return said and f", such as {said}"


def _in_folders(root: Path) -> Iterator[Path]:
    for depth in ("*", "*/*"):
        for directory in sorted(islice(root.glob(f"{depth}/"), MOST_FILES)):
            if not any(part.startswith(".") or part in NOT_SOURCE for part in directory.relative_to(root).parts):
                yield from sorted(islice(directory.glob("*.y*ml"), MOST_FILES), key=_by_name)


def _by_name(file: Path) -> tuple[bool, str]:
    return file.name not in COMPOSE_NAMES, file.name


def _has_services(file: Path) -> bool:
    try:
        return bool(_SERVICES.search(read_text(file, within=ANYWHERE, errors="replace")))
    except (OSError, TaskError):
        return False


def _compose_files(root: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    settings = {**_asked(root, environ), **environ}
    named = settings.get("COMPOSE_FILE")
    if named:
        separator = settings.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        files = tuple((root / name).resolve() for name in named.split(separator) if name)
        for file in files:
            if not file.is_file():
                raise TaskError(f"COMPOSE_FILE names {file}, which does not exist: correct it or unset it")
        return files
    found = (first_of(root, COMPOSE_NAMES), first_of(root, OVERRIDE_NAMES))
    return tuple(file for file in found if file) if found[0] else ()


def _asked(root: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return what compose itself reads in its .env, whose dialect nobody else speaks."""
    if environ.get("COMPOSE_FILE") or not may_name_compose_files(root, environ):
        return {}
    from .compose.engine import has_compose, read_environment

    return read_environment(root) if has_compose() else {}


def _engine_answers(procfile: Path) -> bool:
    problem = runtime_named("compose").problem()
    if problem and not procfile.is_file():
        raise TaskError(f"{problem}, or add a Procfile to run the services without containers")
    return not problem


def _recorded_run(root: Path) -> tuple[str, bool]:
    """Return the runtime of the last run, "" without one, and whether it has ended."""
    try:
        stack = read_stack(state_directory(root))
    except TaskError:  # who needs the record says so
        return "", False
    return (stack.runtime, bool(stack.ended)) if stack and stack.runtime in RUNTIMES else ("", False)
