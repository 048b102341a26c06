"""Unit tests start no process and wait for no clock: what tries to fails its test, in a sentence."""

import errno
import os
import shutil
import subprocess
import time

import pytest


@pytest.fixture(scope="module", autouse=True)
def nothing_is_started():
    """Holds for a module's own fixtures, too. Who looks for git, docker or another Python finds none of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        patch.setattr(subprocess, "Popen", start)
        for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system"):
            patch.setattr(os, name, lambda *_, name=name: refuse(f"calls os.{name}"))
        patch.setattr(time, "sleep", lambda seconds: refuse(f"sleeps for {seconds} s"))
        yield


def start(command, *_, **__):
    program = os.fspath(command if isinstance(command, str) else command[0])
    if not shutil.which(program):
        raise FileNotFoundError(errno.ENOENT, "a unit test has no programs", program)
    refuse(f"starts {program}")


def refuse(what):
    pytest.fail(
        f"A unit test {what}: give it a stand-in or a clock of its own, or move it to tests/programs or tests/tasks."
    )
