"""Locks: one run of a checkout at a time, and one build of an image at a time among the checkouts of a user."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from .errors import TaskError
from .places import cache_directory
from .progress import Stage
from .project import Project

FLAGS = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def only_run(project: Project) -> Iterator[None]:
    """Keep other tasks that start or stop services from this checkout. Raise TaskError while one has done so.

    It ends with the process, whatever ends that.
    """
    if not project.state.is_dir():
        yield  # nothing was ever started here
        return
    file = _open(project.state / "lock")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise TaskError(
            f"another task starts or stops services in {project.root}: wait for its end, or stop it with Ctrl-C"
        ) from None
    try:
        yield
    finally:
        os.close(file)


@contextmanager
def only_build(base_name: str) -> Iterator[None]:
    """Keep this user's tasks in other checkouts from building the same images meanwhile."""
    try:
        directory = cache_directory()
        directory.mkdir(parents=True, exist_ok=True)
        file = _open(directory / "builds.lock")
    except (OSError, TaskError):
        yield  # nowhere to meet: a build in between is noticed, and costs another round
        return
    try:
        with Stage("waiting for another checkout's build"):
            # One file for all projects: each locks a byte of its own.
            fcntl.lockf(file, fcntl.LOCK_EX, 1, crc32(base_name.encode()))
        yield
    finally:
        os.close(file)


def _open(path: Path) -> int:
    try:
        return os.open(path, FLAGS, 0o600)
    except OSError as error:
        raise TaskError(f"cannot lock {path} ({error.strerror}): make it writable, or remove it") from None
