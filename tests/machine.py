"""What this machine has: a checkout, an engine perhaps, and CPythons."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPY = ROOT / "coverage-spy"


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


@contextmanager
def alone_with(what: str) -> Iterator[None]:
    """Wait for a thing that there is once on a machine (fixed ports, a fixed directory), and keep other tests from it.

    A lock on a file holds between the workers of one run and between runs.
    """
    with Path(tempfile.gettempdir(), f"coverage-spy-tests-{what}.lock").open("w") as file:
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
