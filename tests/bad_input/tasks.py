"""The tasks as a user runs them on two services that are processes, and what they say."""

import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from machine import ROOT
from template import environment

REQUIRE_ENGINE = "COVERAGE_SPY_REQUIRE_ENGINE"  # set in CI, where nothing may be skipped
REPORTS = (".coverage", "htmlcov/index.html", "coverage.json", "coverage.xml", "lcov.info", "coverage.md")
WAIT = "until [ -e api.done ] && [ -e worker.done ]; do sleep 0.1; done"
SERVICES = ("api", "worker")
SERVICE = "NAME = {name!r}\nif not NAME:\n    print('nobody')\n"
EXECUTED = {"api.py": [1, 2], "worker.py": [1, 2]}


def write_services(root):
    for name in SERVICES:
        (root / f"{name}.py").write_text(SERVICE.format(name=name))
    # Done when Python has ended: nothing of what ran can be missing then.
    (root / "Procfile").write_text("".join(f"{name}: python3 {name}.py && touch {name}.done\n" for name in SERVICES))


def run_task(root, *arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "coverage_tasks", *arguments],
        cwd=root,
        env=environment(PYTHONPATH=str(ROOT / "scripts"), **{"COVERAGE_SPY_RUNTIME": "procfile"} | environ),
        capture_output=True,
        text=True,
        timeout=600,
    )


def errors(answer, code=1):
    """What a task that was told to be quiet says on stderr, which is errors and nothing else."""
    assert answer.returncode == code, answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr + answer.stdout
    lines = answer.stderr.splitlines()
    assert all(line.startswith("coverage-spy: ") for line in lines), answer.stderr
    return [line.removeprefix("coverage-spy: ") for line in lines]


@contextmanager
def read_only(directory):
    """Nothing can be written to the directory, not even by root."""
    if os.geteuid():
        directory.chmod(0o555)
        try:
            yield
        finally:
            directory.chmod(0o755)
        return
    bind = ["mount", "--bind", str(directory), str(directory)]
    bound = subprocess.run(bind, capture_output=True, text=True)
    if bound.returncode:
        (pytest.fail if REQUIRE_ENGINE in os.environ else pytest.skip)(f"root cannot mount here: {bound.stderr}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(directory)], check=True)
        yield
    finally:
        subprocess.run(["umount", str(directory)], check=True)
