"""The Python that reads the sources: this one, or the services' own where that is newer and this one cannot."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence

from ..project import TOOL

# What a report needs; their compiled parts are of this Python only, and each of them does without.
PACKAGES = ("cattrs", "coverage", "diff_cover", "jinja2", "squarify", "yaml")


class NewerSource(Exception):
    """Sources are newer than this Python: `python` is the program that parses them, `paths` are some of them."""

    def __init__(self, python: str, paths: Sequence[str]) -> None:
        """Keep both, for whoever begins anew."""
        super().__init__(python, paths)
        self.python, self.paths = python, paths


def find_reader(version: tuple[int, ...]) -> str | None:
    """Return the program of a Python of this version that is installed and runs with our packages, if there is one."""
    program = shutil.which(f"python{'.'.join(map(str, version))}")
    # A version manager may have a program of that name which runs no Python.
    probe = f"import sys, {', '.join(PACKAGES)}; sys.exit(sys.version_info[:2] != {version})"
    if program and not subprocess.run([program, "-P", "-c", probe], env=_environ(), capture_output=True).returncode:
        return program
    return None


def read_again(python: str, arguments: Sequence[str]) -> int:
    """Run a task from its beginning in another Python, with this one's packages. Return its exit code."""
    sys.stdout.flush()
    return subprocess.run([python, "-P", "-m", "coverage_tasks", *arguments], env=_environ()).returncode


def _environ() -> dict[str, str]:
    places = (str(TOOL / "scripts"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(places))}
