"""A repository whose services are processes, measured once, and given to every test as it was then."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest
from e2e.stacks import Repository
from machine import ROOT
from template import environment

REQUIRE_ENGINE = "COVERAGE_SPY_REQUIRE_ENGINE"  # set in CI, where nothing may be skipped
REPORTS = (".coverage", "htmlcov/index.html", "coverage.json", "coverage.xml", "lcov.info", "coverage.md")
WAIT = "until [ -e api.done ] && [ -e worker.done ]; do sleep 0.1; done"
SERVICE = "import pathlib\nNAME = {name!r}\npathlib.Path(NAME + '.done').touch()\nif not NAME:\n    print('nobody')\n"


def run_task(root, *arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "coverage_tasks", *arguments],
        cwd=root,
        env=environment(PYTHONPATH=str(ROOT / "scripts"), **{"COVERAGE_SPY_RUNTIME": "procfile"} | environ),
        capture_output=True,
        text=True,
        timeout=120,
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


@pytest.fixture
def bare(tmp_path):
    """Two services and nothing recorded."""
    for name in ("api", "worker"):
        (tmp_path / f"{name}.py").write_text(SERVICE.format(name=name))
    (tmp_path / "Procfile").write_text("api: exec python3 api.py\nworker: exec python3 worker.py\n")
    yield tmp_path
    run_task(tmp_path, "down-coverage")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    root = tmp_path_factory.mktemp("measured")
    for name in ("api", "worker"):
        (root / f"{name}.py").write_text(SERVICE.format(name=name))
    (root / "Procfile").write_text("api: exec python3 api.py\nworker: exec python3 worker.py\n")
    assert errors(run_task(root, "up-coverage", "-q"), 0) == []
    try:
        assert errors(run_task(root, "test-with-coverage", "-q", "--", "sh", "-c", WAIT), 0) == []
    finally:
        run_task(root, "down-coverage")
    kept = tmp_path_factory.mktemp("kept") / "measured"
    shutil.copytree(root, kept)
    return root, kept


@pytest.fixture
def recorded(measured):
    """Two services and the journals of a run of theirs. Journals name the place, so it is one for all tests."""
    root, kept = measured
    shutil.rmtree(root)
    shutil.copytree(kept, root)
    return root


@pytest.fixture
def repository(tmp_path):
    """A repository for compose, with a project name of its own."""
    found = Repository(tmp_path / f"bad-input-{os.urandom(4).hex()}")
    found.root.mkdir()
    yield found
    found.clean_up()
