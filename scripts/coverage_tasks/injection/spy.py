"""What a measured process gets: the spy, compiled and readable, its line for site directories, its variables."""

import struct
from collections.abc import Mapping
from pathlib import Path

from ..errors import TaskError
from ..project import SPY
from ..sources.repository import Repository, is_library
from ..sources.services import Service, map_service

LINE = "coverage_spy.pth"
PASSED_ON = ("COVERAGE_BRANCH", "COVERAGE_OMIT", "COVERAGE_SPY_WINDOW")


def is_compiled(version: str) -> bool:
    """Whether every module of the spy has a .pyc of this Python version that belongs to its source."""
    tag = f"cpython-{version.replace('.', '')}"
    return all(_is_fresh(source, tag) for source in (*SPY.glob("*.py"), *SPY.glob("coverage_spy/*.py")))


def _is_fresh(source: Path, tag: str) -> bool:
    try:
        with (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").open("rb") as compiled:
            _magic, flags, mtime, size = struct.unpack("<4sIII", compiled.read(16))
    except (OSError, struct.error):
        return False
    status = source.stat()
    return bool(flags == 0 and mtime == int(status.st_mtime) & 0xFFFFFFFF and size == status.st_size)


def let_everybody_read(directory: Path) -> None:
    """Let every user read a directory. Raise TaskError when its modes cannot be changed."""
    # A service may run as any user, and the checkout may have been made under a strict umask.
    for path in (directory, *directory.rglob("*")):
        mode = path.stat().st_mode
        wanted = mode | (0o055 if path.is_dir() else 0o044)
        try:
            if wanted != mode:
                path.chmod(wanted)
        except OSError:
            raise TaskError(f"services run as other users than you: let {path} be read by all of them") from None


def pth_line(variables: Mapping[str, str]) -> str:
    """The line of coverage_spy.pth that carries a service's variables, which no cleared environment takes away."""
    return (SPY / LINE).read_text().replace("{}", ascii(dict(variables)), 1)


def variables_of(service: Service, repository: Repository, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that turn measuring on in a service's containers, by name."""
    assert service.image
    # An empty component would put the current directory on sys.path.
    python_path = [part for part in service.python_path.split(":") if part]
    # The working directory keeps code visible that has drifted as a whole, so that nothing vouches for its place.
    sources = map_service(service, repository).sources
    if service.workdir not in ("", "/") and not any(is_below(service.workdir, source) for source in sources):
        # Installed code below it has to be named all the same: the spy leaves out libraries that are not.
        inside = [source for source in sources if is_below(source, service.workdir)]
        covered = {source for source in inside if not is_library(source[len(service.workdir) :])}
        sources = [*(source for source in sources if source not in covered), service.workdir]
    variables = {
        "COVERAGE_ENABLE": "true",
        "COVERAGE_FILE": f"/coverage/.coverage.{service.name}",
        "COVERAGE_SOURCE": ":".join(sources),
        "PYTHONPATH": ":".join(["/coverage-spy", *python_path]),
    }
    passed_on = {name: environ[name] for name in PASSED_ON if environ.get(name)}
    return {name: value for name, value in (variables | passed_on).items() if value}


def is_below(path: str, directory: str) -> bool:
    """Return whether a path is a directory or lies below it."""
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")
