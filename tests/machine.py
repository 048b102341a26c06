"""What this machine has: a checkout, an engine perhaps, a file system that copies on write, and CPythons."""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPY = ROOT / "coverage-spy"
REQUIRE_ENGINE = "COVERAGE_SPY_REQUIRE_ENGINE"  # set in CI, where nothing may be skipped
PATIENCE = 300  # seconds until what does not happen hangs


@cache
def engine_answers() -> bool:
    try:
        return subprocess.run(["docker", "version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@cache
def find_browser() -> str | None:
    """The Chromium that is installed, or its twin."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def as_root(*command: str | os.PathLike[str]) -> None:
    """Run a command as root; in CI by sudo where the tests are not. Raises CalledProcessError."""
    sudo = ("sudo", "-n") if os.geteuid() and os.environ.get(REQUIRE_ENGINE) else ()
    subprocess.run([*sudo, *command], capture_output=True, text=True, check=True)


@contextmanager
def btrfs(place: Path) -> Iterator[None]:
    """Mount a new btrfs with 40 MB for data, writable for everybody, on a directory.

    Its image lies beside the directory until then. Raises OSError and CalledProcessError where that can't be.
    """
    image = place.with_name(f"{place.name}.btrfs")
    try:
        with image.open("wb") as file:
            file.truncate(120 << 20)
        subprocess.run(["mkfs.btrfs", "--quiet", image], capture_output=True, text=True, check=True)
        as_root("mount", "-o", "loop", image, place)
        try:
            as_root("chmod", "1777", place)
            yield
        finally:
            as_root("umount", "--lazy", place)  # with its last user goes the loop device
    finally:
        image.unlink(missing_ok=True)


@cache
def lacks_btrfs() -> str:
    """Why no btrfs can be mounted here; "" where it can."""
    with tempfile.TemporaryDirectory(prefix="btrfs-") as directory:
        place = Path(directory, "place")
        place.mkdir()
        try:
            with btrfs(place):
                return ""
        except OSError as error:
            return f"{error.filename}: {error.strerror}"
        except subprocess.CalledProcessError as error:
            return error.stderr.strip()


def fill(directory: Path) -> None:
    """Take all the space of a directory's file system, up to the last block."""
    size = 1 << 20
    with (directory / "fill").open("wb", buffering=0) as file:
        while size >= 4 << 10:
            try:
                file.write(os.urandom(size))
                os.fsync(file.fileno())
            except OSError:
                size //= 2


def eventually(holds: Callable[[], object]) -> object:
    """What it returns once that is true, or in the end, when it hangs; how soon is the machine's affair."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


@contextmanager
def alone_with(what: str) -> Iterator[None]:
    """Wait for a thing that there is once on a machine (fixed ports, a fixed directory), and keep other tests from it.

    A lock on a file holds between the workers of one run and between runs, whoever they are of.
    """
    path = Path("/tmp", f"coverage-spy-tests-{what}.lock")  # wherever TMPDIR is: ports are the machine's
    with suppress(FileExistsError), path.open("x"):
        path.chmod(0o644)  # whatever the umask is: to lock it takes the right to read
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def find_interpreters() -> Iterator[tuple[str, str]]:
    """Yield (version, path) of one CPython per minor version: pyenv's, then those on PATH, no virtual environments."""
    seen = set()
    pyenv = shutil.which("pyenv")
    roots = []
    if pyenv:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True).stdout.strip()
        roots = sorted(Path(root, "versions").glob("*/bin"))
    for version in ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14", "3.15"):
        for directory in (*map(str, roots), *os.get_exec_path()):
            candidate = Path(directory) / f"python{version}"
            # A shim of pyenv exists for every version and runs only the selected ones; a virtual environment may
            # hold a coverage.py, which starts by itself.
            indirect = "shims" in candidate.parts or Path(directory, "..", "pyvenv.cfg").exists()
            if version not in seen and candidate.is_file() and not indirect:
                seen.add(version)
                yield version, str(candidate)


def number(version: str) -> tuple[int, ...]:
    """Return "3.12" as (3, 12)."""
    return tuple(map(int, version.split(".")))


INTERPRETERS = dict(find_interpreters())
