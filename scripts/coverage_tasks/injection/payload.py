"""The payload: builds of coverage.py's C tracer, one per interpreter, fetched by pip with pinned hashes.

`python -m coverage_tasks.injection.payload` writes payload.lock and tracers.lock, after a version in VERSIONS was
changed.
"""

import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

from coverage_spy.engine import MONITORING

from ..errors import TaskError
from ..files import beside, read_file
from ..places import cache_directory
from ..progress import Stage, say
from ..sources.images import Interpreter

LOCK = Path(__file__).with_name("payload.lock")
TRACERS = Path(__file__).with_name("tracers.lock")  # what is in the wheels
NAME = "payload"  # of the directory, in a copy of the spy too

# The last coverage.py for each CPython, by the digits of its suffix; for 3.8 the last whose tracer calls nothing when a
# function begins: newer ones take a lock, which 3.8 counts as a call against the application's limit of recursion.
VERSIONS = {
    "38": "7.5.3",
    "39": "7.10.7",
    "310": "7.16.2",
    "311": "7.17.3",
    "312": "7.17.3",
    "313": "7.17.3",
    "313t": "7.17.3",
    "314": "7.17.3",
    "314t": "7.17.3",
}

_SUFFIX = re.compile(r"\.cpython-(?P<digits>\d+t?)-(?:(?P<machine>\w+)-linux-(?:gnu|musl)|darwin)\.so")
_PLATFORMS = {
    ("glibc", "x86_64"): ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
    ("glibc", "aarch64"): ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
    ("musl", "x86_64"): ("musllinux_1_1_x86_64", "musllinux_1_2_x86_64"),
    ("musl", "aarch64"): ("musllinux_1_1_aarch64", "musllinux_1_2_aarch64"),
    ("darwin", "x86_64"): ("macosx_10_9_x86_64", "macosx_10_13_x86_64", "macosx_10_15_x86_64"),
    ("darwin", "arm64"): ("macosx_11_0_arm64",),
}


class Wheel(NamedTuple):
    """Which wheel of coverage.py an interpreter needs."""

    digits: str
    libc: str
    machine: str

    @property
    def pip_options(self) -> list[str]:
        """What makes `pip download` take this wheel rather than the running Python's."""
        version = self.digits.rstrip("t")
        options = ["--implementation", "cp", "--python-version", f"{version[0]}.{version[1:]}"]
        options += ["--abi", f"cp{self.digits}"]
        return options + [part for tag in _PLATFORMS[self.libc, self.machine] for part in ("--platform", tag)]


def needs_tracer(interpreter: Interpreter, branch: bool) -> bool:
    """Return whether the spy uses the tracer in this interpreter."""
    version = tuple(map(int, interpreter.version.split(".")))
    return interpreter.measurable and (branch or version < MONITORING)


def payload() -> Path:
    """Return the directory that holds the tracers of all checkouts."""
    return cache_directory() / NAME


def tracers_of(interpreters: Iterable[Interpreter], branch: bool) -> list[Path]:
    """Return the tracers that these interpreters use and that the payload has."""
    tracers = (payload() / _file_of(interpreter) for interpreter in interpreters if needs_tracer(interpreter, branch))
    return [tracer for tracer in tracers if tracer.is_file()]


def _file_of(interpreter: Interpreter) -> str:
    return f"tracer{interpreter.suffix}"


def fill_payload(interpreters: Iterable[Interpreter], directory: Path | None = None) -> None:
    """Put the tracer of every interpreter in `directory`; what is there already, unaltered, is not fetched again.

    By default that is payload(). What is none of the locked builds is removed: it would be loaded by services. Raise
    TaskError when pip cannot fetch one. An interpreter coverage.py has no build for is only named: the spy says in its
    receipt that nothing is measured there.
    """
    directory = directory or payload()
    found = _sound_tracers(directory)
    for interpreter in interpreters:
        target = directory / _file_of(interpreter)
        wheel = _wheel_for(interpreter)
        if wheel and wheel in found.get(target.name, ()):
            continue
        if not wheel:
            say(f"coverage.py has no build for {interpreter.suffix}: this Python {interpreter.version} is not measured")
            continue
        what = f"coverage.py's tracer for Python {interpreter.version} ({wheel.libc}, {wheel.machine})"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with Stage(f"fetching {what}", aloud=True), beside(target) as part:
                part.write_bytes(_fetch_tracer(wheel))
                part.chmod(0o755)
        except OSError as error:
            raise TaskError(
                f"cannot write to {directory} ({error.strerror}): make it writable for you, or set COVERAGE_SPY_CACHE "
                "to another directory"
            ) from None


def _wheel_for(interpreter: Interpreter) -> Wheel | None:
    found = _SUFFIX.fullmatch(interpreter.suffix)
    if not found or found["digits"] not in VERSIONS:
        return None
    wheel = Wheel(
        found["digits"],
        interpreter.libc if found["machine"] else "darwin",
        found["machine"] or platform.machine(),
    )
    return wheel if (wheel.libc, wheel.machine) in _PLATFORMS else None


def _sound_tracers(directory: Path) -> dict[str, set[Wheel]]:
    """Return name -> wheels that a file of the payload may be out of; CPython up to 3.10 has one name for two libcs."""
    wheels: dict[str, set[Wheel]] = {}
    for digits, libc, machine, digest in (line.split() for line in TRACERS.read_text().splitlines()[1:]):
        wheels.setdefault(digest, set()).add(Wheel(digits, libc, machine))
    found = {}
    for file in directory.glob("[!.]*"):
        try:
            found[file.name] = wheels[sha256(read_file(file)).hexdigest()]
        except (OSError, TaskError, KeyError):
            say(f"{file} is no build of coverage.py's that was fetched, and is removed")
            _remove(file)
    return found


def _remove(file: Path) -> None:
    try:
        if file.is_dir() and not file.is_symlink():
            rmtree(file)
        else:
            file.unlink()
    except OSError as error:
        raise TaskError(f"{file} cannot be removed ({error.strerror}): remove it") from None


def _fetch_tracer(wheel: Wheel) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        requirement = directory / "requirement.txt"
        requirement.write_text(_locked(VERSIONS[wheel.digits]))
        _download(directory, wheel, "--require-hashes", "--requirement", str(requirement))
        return _tracer_of(next(directory.glob("*.whl")))


def _tracer_of(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(next(n for n in archive.namelist() if re.fullmatch(r"coverage/tracer\..*\.so", n)))


def _download(directory: Path, wheel: Wheel, *what: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--dest", str(directory), *wheel.pip_options, *what]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        errors = [line for line in answer.stderr.splitlines() if line.startswith("ERROR")] or [answer.stderr.strip()]
        raise TaskError(
            f"coverage.py's tracer for cp{wheel.digits} {wheel.libc} {wheel.machine} cannot be fetched; let pip reach "
            f"a package index once, or use Python 3.12 or newer, which needs none: {errors[-1]}"
        )


def _locked(version: str) -> str:
    lines = LOCK.read_text().replace("\\\n", "").splitlines()
    return next(line for line in lines if line.startswith(f"coverage=={version} "))


def write_locks(lock: Path = LOCK, tracers: Path = TRACERS) -> None:
    """Download every wheel of VERSIONS for every platform and write their hashes, and those of their tracers."""
    hashes: dict[str, set[str]] = {}
    lines = []
    for wheel in _every_wheel():
        with tempfile.TemporaryDirectory() as name:
            _download(Path(name), wheel, f"coverage=={VERSIONS[wheel.digits]}")
            file = next(Path(name).glob("*.whl"))
            if "-none-any" not in file.name:
                hashes.setdefault(VERSIONS[wheel.digits], set()).add(sha256(file.read_bytes()).hexdigest())
                lines.append(" ".join((*wheel, sha256(_tracer_of(file)).hexdigest())))
    blocks = [
        " \\\n    ".join([f"coverage=={version}", *(f"--hash=sha256:{digest}" for digest in sorted(hashes[version]))])
        for version in dict.fromkeys(VERSIONS.values())
    ]
    for written, text in ((lock, blocks), (tracers, lines)):
        written.write_text("\n".join(("# Written by `python -m coverage_tasks.injection.payload`.", *text)) + "\n")


def _every_wheel() -> Iterator[Wheel]:
    return (Wheel(digits, libc, machine) for digits in VERSIONS for libc, machine in _PLATFORMS)


if __name__ == "__main__":
    write_locks()
