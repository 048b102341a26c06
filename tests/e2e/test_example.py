"""The example as its users meet it: nox in a fresh copy of the template, in containers and without."""

import json
import subprocess

import pytest
from e2e.stacks import compose_command
from machine import alone_with
from template import copy_template, run

from coverage_tasks.project import TOOL

REPORTS = ("htmlcov/index.html", "coverage.json", "coverage.xml", "lcov.info", "coverage.md", ".coverage")


@pytest.fixture
def checkout(repository):
    copy_template(repository.root)
    repository.tool = repository.root
    repository.environ["COMPOSE_PROJECT_NAME"] = repository.name
    with alone_with("shop"):
        yield repository


def nox(checkout, session, runtime):
    """Runs a session and returns what it said."""
    environ = {"COVERAGE_SPY_RUNTIME": runtime, "COMPOSE_PROJECT_NAME": checkout.name}
    result = run("nox", "-s", session, cwd=checkout.root, **environ)
    return result.stdout + result.stderr


def executed(checkout) -> dict[str, list[int]]:
    report = json.loads((checkout.root / "coverage.json").read_text())
    return {path: found["executed_lines"] for path, found in report["files"].items()}


@pytest.mark.engine
def test_committed_overlay_is_what_the_generator_writes(repository, tmp_path):
    repository.root = TOOL
    build = [*compose_command(), "-f", "examples/shop/docker-compose.yml", "build"]
    subprocess.run(build, cwd=TOOL, env=repository.environ, capture_output=True, check=True)
    repository.succeed("coverage-overlay", "--output", str(tmp_path / "overlay.yml"))
    committed = TOOL / "compose" / "docker-compose.coverage.yml"
    assert (tmp_path / "overlay.yml").read_text() == committed.read_text()


@pytest.mark.engine
def test_containers_and_procfile_execute_the_same_statements(checkout):
    assert "taking examples/shop" in nox(checkout, "coverage", "procfile")
    without = executed(checkout)
    assert all((checkout.root / name).is_file() for name in REPORTS)
    nox(checkout, "coverage-clean", "procfile")
    assert not any((checkout.root / name).exists() for name in (*REPORTS, "coverage-data"))

    said = nox(checkout, "coverage", "compose")
    assert "3 containers ran the images as they are" in said
    assert checkout.proof()["deviations"] == []
    assert executed(checkout) == without
    assert {"examples/shop/orders/main.py", "examples/shop/catalog/main.py"} <= set(without)
    # The worker is killed by the tests and writes no last word.
    assert len(without["examples/shop/shipping/worker.py"]) > 10


def test_report_without_data_runs_everything_first(checkout):
    first = nox(checkout, "coverage-report", "procfile")
    assert "there is no coverage data yet: running the task `coverage` first" in first
    assert all((checkout.root / name).is_file() for name in REPORTS)
    assert "running the task" not in nox(checkout, "coverage-report", "procfile")
