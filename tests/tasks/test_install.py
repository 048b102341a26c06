"""The task itself, on the template itself."""

import json
import subprocess
import sys

import pytest
from bad_input.tasks import read_only
from checkouts import write
from machine import ROOT
from template import environment

from coverage_tasks import install


@pytest.fixture
def host(tmp_path):
    root = tmp_path / "host"
    write(root, {"orders/main.py": "print(1)\n"})
    return root


def task(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-P", "-m", "coverage_tasks", "coverage-install", *map(str, arguments)],
        cwd=cwd,
        env=environment(PYTHONPATH=str(ROOT / "scripts")),
        capture_output=True,
        text=True,
    )


def texts(root):
    return {path.name: path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("prefix", [[], ["--prefix", "tools/coverage"]])
def test_a_destination_that_cannot_be_written(host, prefix):
    with read_only(host):
        answer = task(host, *prefix, cwd=host.parent)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"coverage-spy: cannot write to {host}: make it writable")
    assert texts(host) == {"main.py": "print(1)\n"}


def test_dry_run_says_the_same_and_writes_nothing(host):
    answer = task("host", "--prefix", "tools", "--dry-run", cwd=host.parent)
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"nothing is written; files in {host}/tools: ")
    assert texts(host) == {"main.py": "print(1)\n"}


def test_json_names_every_file_and_what_is_left_to_do(host):
    answer = task(host, "--json", cwd=host)
    found = json.loads(answer.stdout)
    assert (found["target"], found["written"], found["mount"]) == (str(host), True, {})
    assert set(found["files"].values()) == {"added"}
    assert {*found["files"], install.STAMP, "orders/main.py"} == {
        path.relative_to(host).as_posix() for path in host.rglob("*") if path.is_file()
    }
    assert found["files"]["coverage-spy/LICENSE"]
    (host / "coverage.just").write_text("mine\n")
    (host / install.STAMP).unlink()
    answer = task(host, "--json", cwd=host)
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["written"], found["files"]["coverage.just"]) == (1, False, "in the way")
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("coverage-spy: nothing was installed, because")


def test_it_needs_no_project(tmp_path, host):
    assert task(host, cwd=tmp_path).returncode == 0
    assert task(cwd=tmp_path).returncode == 2
