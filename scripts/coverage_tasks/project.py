"""Which repository is measured, by which runtime, and where the results go."""

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Literal, get_args
from zlib import crc32

Runtime = Literal["compose", "procfile"]

TOOL = Path(__file__).resolve().parents[2]
SPY = TOOL / "coverage-spy"
EXAMPLE = TOOL / "examples" / "shop"

# Compose's own names, in compose's own order.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)

WINDOWS = sys.platform == "win32"
LONGEST_NAME = 200  # bytes, of a service as that of a file
PREFIX = "coverage-spy: "  # of every line on stderr

_COMMAND = re.compile(r"^(?=\s*::)\s*:|#(?=(?:vso)?\[)")

_log = logging.getLogger("coverage-spy")


class TaskError(Exception):
    """Something the user can put right: one sentence that names the cause and the remedy."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        """Keeps the code the task exits with."""
        super().__init__(message)
        self.exit_code = exit_code


def say(text: str) -> None:
    """Shows a line of progress on stderr, unless the task was started with -q."""
    _log.info("%s", text)


def is_quiet() -> bool:
    """Whether the task was started with -q."""
    return not _log.isEnabledFor(logging.INFO)


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is one."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count} {noun if count == 1 else plural}"


def printable(text: str) -> str:
    """The text with everything escaped that would disturb a terminal or a line: names are anybody's.

    Runners of CI take a line that begins with :: for a command, and ##[ and ##vso[ wherever they stand.
    """
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", plain)


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path to write to; what is there afterwards takes the place of `path`, and nothing when the body raises.

    Its name is one that nobody can have made a link of before.
    """
    part = path.with_name(f".{path.name}.{token_hex(8)}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def cache_directory() -> Path:
    """Where this user's tasks keep what all checkouts share; COVERAGE_SPY_CACHE decides otherwise."""
    from platformdirs import user_cache_path  # nox imports this module, and need not have it

    try:
        return Path(os.environ.get("COVERAGE_SPY_CACHE") or user_cache_path("coverage-spy"))
    except RuntimeError:  # a user without a home: nothing can be kept below a file
        return Path(os.devnull, "cache")


def file_name(service: str) -> str:
    """The name of a service as that of a file, whatever it is called: two never get the same one."""
    plain = re.sub(r"[^\w.-]", "_", service).lstrip(".")
    encoded = service.encode("utf-8", "surrogatepass")
    return (
        service if plain and plain == service and len(encoded) <= LONGEST_NAME else f"{plain[:50]}-{crc32(encoded):08x}"
    )


@dataclass(frozen=True)
class Project:
    """One repository as the tasks see it; every output lies below `root`."""

    root: Path
    runtime: Runtime
    directory: Path
    files: tuple[Path, ...]
    example: bool = False

    @property
    def data(self) -> Path:
        """What is known about the run, and what the services wrote."""
        return self.root / "coverage-data"

    @property
    def journals(self) -> Path:
        """What the services write: a directory for each, and nothing of ours besides. A container sees its own only."""
        return self.data / "journals"

    def journals_of(self, service: str) -> Path:
        """The directory that a service writes to."""
        return self.journals / file_name(service)

    @property
    def runs(self) -> Path:
        """The saved runs, each a directory with its name."""
        return self.data / "runs"

    @property
    def stack_file(self) -> Path:
        """The record of the stack, `stack.json`."""
        return self.data / "stack.json"

    @property
    def baseline(self) -> Path:
        """The numbers that a run may not fall below; the repository keeps it."""
        return self.root / "coverage-baseline.json"

    @property
    def coverage_file(self) -> Path:
        """The combined data."""
        return self.root / ".coverage"

    @property
    def html(self) -> Path:
        """The directory of the HTML report."""
        return self.root / "htmlcov"

    @property
    def json(self) -> Path:
        """The JSON report."""
        return self.root / "coverage.json"

    @property
    def xml(self) -> Path:
        """The XML report."""
        return self.root / "coverage.xml"

    @property
    def lcov(self) -> Path:
        """The LCOV report."""
        return self.root / "lcov.info"

    @property
    def markdown(self) -> Path:
        """The Markdown summary."""
        return self.root / "coverage.md"


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
    if wanted not in ("auto", *get_args(Runtime)):
        raise TaskError(f"COVERAGE_SPY_RUNTIME is {wanted!r}: set it to auto, compose or procfile")
    example = takes_example(root)
    directory = EXAMPLE if example else root
    compose_files = _compose_files(root, directory, environ)
    if wanted == "auto":
        recorded, ended = _recorded_run(root)
        if (reads and ended) or (recorded == "procfile" and not ended):
            wanted = recorded
    procfile = directory / "Procfile"
    if compose_files and (wanted == "compose" or (wanted == "auto" and _engine_answers(procfile))):
        return Project(root, "compose", directory, compose_files, example)
    if procfile.is_file() and wanted != "compose":
        return Project(root, "procfile", directory, (procfile,), example)
    raise TaskError(
        {
            "compose": f"there is no compose file in {root}: add one, or name it in COMPOSE_FILE",
            "procfile": f"there is no Procfile in {root}: add one with a line `name: command` per service",
            "auto": f"there is neither a compose file nor a Procfile in {root}: "
            "name the compose file in COMPOSE_FILE, or add a Procfile with a line `name: command` per service",
        }[wanted]
    )


def takes_example(root: Path) -> bool:
    """Whether the tasks take the example in `root`: it is the template's own checkout and has nothing to run itself."""
    if root != TOOL or not EXAMPLE.is_dir() or {**_dotenv(root), **os.environ}.get("COMPOSE_FILE"):
        return False
    return _first(root, (*COMPOSE_NAMES, "Procfile")) is None


def own_environment(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for the user's own commands: `environ` without what only the tasks themselves need.

    That is scripts/ on PYTHONPATH and, below nox, the bin directory of the session's environment, which would
    hide the environment the user works in. The example's requirements are in the session, so it keeps it.
    """
    environment = dict(environ)
    ours = {"PYTHONPATH": str(TOOL / "scripts")}
    if "NOX_CURRENT_SESSION" in environ and not project.example:
        ours["PATH"] = str(Path(sys.prefix) / "bin")
    for name, directory in ours.items():
        kept = [part for part in environment.pop(name, "").split(os.pathsep) if part and part != directory]
        if kept:
            environment[name] = os.pathsep.join(kept)
    if "PATH" in ours:
        environment.pop("VIRTUAL_ENV", None)
    return environment


def _compose_files(root: Path, directory: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    settings = {**_dotenv(root), **environ}
    named = settings.get("COMPOSE_FILE")
    if named:
        separator = settings.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        files = tuple((root / name).resolve() for name in named.split(separator) if name)
        for file in files:
            if not file.is_file():
                raise TaskError(f"COMPOSE_FILE names {file}, which does not exist: correct it or unset it")
        return files
    found = (_first(directory, COMPOSE_NAMES), _first(directory, OVERRIDE_NAMES))
    return tuple(file for file in found if file) if found[0] else ()


def _dotenv(root: Path) -> dict[str, str]:
    """What compose's .env says about the compose files; compose reads everything else in it by itself."""
    from .files import ANYWHERE, read_text  # that module imports this one

    file = root / ".env"
    try:
        lines = [] if file.is_dir() else read_text(file, within=ANYWHERE, errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if line.startswith("COMPOSE_") and "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def _first(directory: Path, names: tuple[str, ...]) -> Path | None:
    return next((directory / name for name in names if (directory / name).is_file()), None)


def _engine_answers(procfile: Path) -> bool:
    from .compose import engine_problem  # compose imports this module

    problem = engine_problem()
    if problem and not procfile.is_file():
        raise TaskError(f"{problem}, or add a Procfile to run the services without containers")
    return problem is None


def _recorded_run(root: Path) -> tuple[str, bool]:
    """The runtime of the present run, "" without one, and whether it has ended."""
    from .files import read_json  # that module imports this one

    try:
        state = read_json(root / "coverage-data" / "stack.json")
        runtime, ended = state["runtime"], bool(state.get("ended"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "", False
    return (runtime, ended) if runtime in get_args(Runtime) else ("", False)
