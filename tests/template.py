"""Copies of the template, as a user gets them, and commands as a user runs them."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

from machine import ROOT

BIN = Path(sys.executable).parent
# One of each for a run of all tests, see conftest.py.
CACHE, STATES = "COVERAGE_SPY_CACHE", "XDG_STATE_HOME"
WITHOUT_UV = {"UV": "no-uv"}  # nox makes environments with virtualenv and pip then
# A test command that ends when a line of a file that it is given is recorded.
WAIT_FOR = (sys.executable, str(ROOT / "tests" / "faces" / "wait_for.py"))


def template_files():
    """The files of a clean clone: those that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy_template(destination):
    for name in template_files():
        (destination / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, destination / name)


@cache
def settings_of_uv():
    """For nox: it takes the uv of the tests, ten times as fast as pip, where that reaches an index too."""
    uv = BIN / "uv"
    command = [uv, "pip", "compile", "--quiet", ROOT / "scripts" / "requirements.txt"]
    works = uv.is_file() and subprocess.run(command, capture_output=True, cwd=ROOT).returncode == 0
    return {"UV": str(uv)} if works else WITHOUT_UV


def environment(**more):
    """The environment of a user's shell: with nox and just, without what the session that runs the tests has set."""
    ours = ("COVERAGE_", "COMPOSE_", "NOX_", "PYTHONPATH", "PYTEST_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) or name == CACHE}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", **settings_of_uv(), **more}


def commands(text, *first):
    """The indented blocks of a page that begin with one of these words, each as one script."""
    blocks = re.findall(r"(?:^    .*\n(?:\n(?=    ))?)+", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in blocks if block.split()[0] in first]


def shell(script, cwd, **more):
    """Run a block of a page as a user who pastes it would, and return what it prints."""
    return run("sh", "-euxc", script, cwd=cwd, **more).stdout


def tasks(cwd, *arguments, **environ):
    """Run a task of this checkout, on a Procfile unless told otherwise, and return how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "coverage_tasks", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts"), "COVERAGE_SPY_RUNTIME": "procfile", **environ},
        capture_output=True,
        text=True,
    )


def run(*command, cwd, check=0, timeout=600, **more):
    """Run a command as a user would; expects the exit code `check`."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == check, f"{command}\n{result.stdout}\n{result.stderr}"
    return result
