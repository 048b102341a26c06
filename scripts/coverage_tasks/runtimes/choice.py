"""Which repository is measured, and by which runtime."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ..errors import TaskError
from ..places import state_directory
from ..project import COMPOSE_NAMES, OVERRIDE_NAMES, Project, dotenv, first_of
from ..recorded.stack import read_stack
from .runtime import RUNTIMES, runtime_named

WINDOWS = sys.platform == "win32"


def find_project(cwd: Path, environ: Mapping[str, str], reads: bool = False) -> Project:
    """The project in `cwd`: its compose files where an engine answers, else its Procfile.

    COVERAGE_SPY_RUNTIME (`compose`, `procfile`) decides otherwise. Processes of a Procfile that run keep it, and who
    only `reads` takes what the recorded run had: reports are made where there is no engine, too.
    Raises TaskError when there is nothing to run.
    """
    if WINDOWS:
        raise TaskError("on Windows coverage-spy runs inside WSL: clone the repository there, and start the task there")
    root = cwd.resolve()
    wanted = environ.get("COVERAGE_SPY_RUNTIME") or "auto"
    if wanted not in ("auto", *RUNTIMES):
        raise TaskError(f"COVERAGE_SPY_RUNTIME is {wanted!r}: set it to auto, compose or procfile")
    compose_files = _compose_files(root, environ)
    if wanted == "auto":
        recorded, ended = _recorded_run(root)
        if (reads and ended) or (recorded == "procfile" and not ended):
            wanted = recorded
    procfile = root / "Procfile"
    if compose_files and (wanted == "compose" or (wanted == "auto" and _engine_answers(procfile))):
        return Project(root, "compose", compose_files)
    if procfile.is_file() and wanted != "compose":
        return Project(root, "procfile", (procfile,))
    raise TaskError(
        {
            "compose": f"there is no compose file in {root}: add one, or name it in COMPOSE_FILE",
            "procfile": f"there is no Procfile in {root}: add one with a line `name: command` per service",
            "auto": f"there is neither a compose file nor a Procfile in {root}: "
            "name the compose file in COMPOSE_FILE, or add a Procfile with a line `name: command` per service",
        }[wanted]
    )


def _compose_files(root: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    settings = {**dotenv(root), **environ}
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


def _engine_answers(procfile: Path) -> bool:
    problem = runtime_named("compose").problem()
    if problem and not procfile.is_file():
        raise TaskError(f"{problem}, or add a Procfile to run the services without containers")
    return not problem


def _recorded_run(root: Path) -> tuple[str, bool]:
    """The runtime of the last run, "" without one, and whether it has ended."""
    try:
        stack = read_stack(state_directory(root))
    except TaskError:  # who needs the record says so
        return "", False
    return (stack.runtime, bool(stack.ended)) if stack and stack.runtime in RUNTIMES else ("", False)
