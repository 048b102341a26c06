"""What a measured process gets: the spy, compiled and readable, its line for site directories, its variables."""

import shutil
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from coverage_spy.environment import ENABLE, SECOND_NAMES

from ..errors import TaskError
from ..project import SPY
from ..sources.repository import Repository, is_library
from ..sources.services import Service, map_service
from . import payload

LINE = "coverage_spy.pth"
PASSED_ON = ("COVERAGE_BRANCH", "COVERAGE_OMIT", "COVERAGE_SPY_WINDOW")
# All that a measured process gets of us.
GIVEN = frozenset((ENABLE, *SECOND_NAMES, *SECOND_NAMES.values(), *PASSED_ON, "PYTHONPATH"))

# Who imports the spy from here trusts what is in it, so it holds what we put there and no file more.
SOURCES = ("sitecustomize.py", LINE, "Dockerfile.coverage", "coverage_spy/*.py")
# Bytecode is made by the very interpreter that loads it, so no source has to be compared at a start.
COMPILE = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")


def sources() -> list[Path]:
    """Return the files of the spy, relative to SPY."""
    return sorted(path.relative_to(SPY) for pattern in SOURCES for path in SPY.glob(pattern))


def key_of(whose: str, tracers: Iterable[Path]) -> str:
    """Return a name for the copy of the spy that belongs to an image (or the host) with these tracers."""
    digest = sha256(whose.encode())
    for path in (*(SPY / source for source in sources()), *sorted(tracers)):
        digest.update(b"\0%s\0%s" % (path.name.encode(), path.read_bytes()))
    return digest.hexdigest()[:20]


@contextmanager
def new_copy(target: Path, tracers: Iterable[Path]) -> Iterator[Path]:
    """Make a copy of the spy with its tracers; the body compiles it, then it stands at `target`, complete."""
    with complete(target) as directory:
        for source in sources():
            (directory / source).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(SPY / source, directory / source)
        for tracer in tracers:
            (directory / payload.NAME).mkdir(exist_ok=True)
            shutil.copyfile(tracer, directory / payload.NAME / tracer.name)
        yield directory
        let_everybody_read(directory)


@contextmanager
def complete(target: Path) -> Iterator[Path]:
    """Name a directory for the body to make, which stands at `target` afterwards, all of it or nothing.

    Raise OSError when that is impossible.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".spy-", dir=target.parent) as made:
        directory = Path(made, "spy")
        yield directory
        try:
            directory.rename(target)
        except OSError:
            if not target.is_dir():  # else another task has just made the same
                raise


def bytecode_names(version: str) -> frozenset[str]:
    """Return the files that compiling the spy with a Python of this version may make, relative to the copy."""
    tag = f"cpython-{version.replace('.', '')}"
    modules = (source for source in sources() if source.suffix == ".py")
    return frozenset((module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc").as_posix() for module in modules)


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
    """Return the line of coverage_spy.pth that carries a service's variables: no cleared environment takes it away."""
    return (SPY / LINE).read_text().replace("{}", ascii(dict(variables)), 1)


def variables(found: Mapping[str, str], own: Container[str], spy: str, python_path: str) -> dict[str, str]:
    """Return the variables that turn measuring on, by name; PYTHONPATH keeps what it was."""
    # An empty component would put the current directory on sys.path.
    path = ":".join([spy, *filter(None, python_path.split(":"))])
    return {ENABLE: "true", **for_spy(found, own), "PYTHONPATH": path}


def for_spy(found: Mapping[str, str], own: Container[str]) -> dict[str, str]:
    """Return the variables that are `found`, with the second names that tell whose their values are.

    What the application has under the same name, of its `own`, stays.
    """
    values = {name: value for name, value in found.items() if value}
    marked = {SECOND_NAMES[name]: value for name, value in values.items() if name in SECOND_NAMES}
    return {name: value for name, value in values.items() if name not in own} | marked


def variables_of(service: Service, repository: Repository, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that turn measuring on in a service's containers, by name."""
    assert service.image
    # The working directory keeps code visible that has drifted as a whole, so that nothing vouches for its place.
    sources = map_service(service, repository).sources
    if service.workdir not in ("", "/") and not any(is_below(service.workdir, source) for source in sources):
        # Installed code below it has to be named all the same: the spy leaves out libraries that are not.
        inside = [source for source in sources if is_below(source, service.workdir)]
        covered = {source for source in inside if not is_library(source[len(service.workdir) :])}
        sources = [*(source for source in sources if source not in covered), service.workdir]
    found = {
        "COVERAGE_FILE": f"/coverage/.coverage.{service.name}",
        "COVERAGE_SOURCE": ":".join(sources),
        **{name: environ[name] for name in PASSED_ON if environ.get(name)},
    }
    return variables(found, service.own_variables, "/coverage-spy", service.python_path)


def is_below(path: str, directory: str) -> bool:
    """Return whether a path is a directory or lies below it."""
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")
