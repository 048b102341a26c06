"""The example as its users meet it: nox in a fresh copy of the template, in containers and without."""

import json
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest
from e2e import shop
from e2e.stacks import Repository, compose_command
from machine import alone_with
from template import copy_template, run

from coverage_tasks.project import EXAMPLE, TOOL
from coverage_tasks.runtimes.compose.names import stack_name

REPORTS = ("htmlcov/index.html", "coverage.json", "coverage.xml", "lcov.info", "coverage.md", ".coverage")


@contextmanager
def checked_out(repository):
    copy_template(repository.root)
    repository.tool, repository.root = repository.root, repository.root / "examples" / "shop"
    repository.stack = stack_name(repository.name, repository.root.resolve())
    repository.environ["COMPOSE_PROJECT_NAME"] = repository.name
    with alone_with("shop"):
        yield repository


@pytest.fixture
def checkout(repository):
    with checked_out(repository):
        yield repository


@pytest.fixture
def without_engine(tmp_path):
    """A checkout that asks no engine for anything, not even what is left behind."""
    with checked_out(Repository(tmp_path / "shop")) as found:
        yield found


def nox(checkout, session, runtime, **environ):
    """Runs a session and returns what it said."""
    environ |= {"COVERAGE_SPY_RUNTIME": runtime, "COMPOSE_PROJECT_NAME": checkout.name}
    result = run("nox", "-s", session, cwd=checkout.tool, **environ)
    return result.stdout + result.stderr


def analysis(checkout, runtime):
    return json.loads(checkout.succeed("analyze-coverage", "--json", "-q", COVERAGE_SPY_RUNTIME=runtime).stdout)


def by_coverage(checkout, *options):
    """What coverage.py by itself makes of the combined data."""
    settings = f"--rcfile={checkout.tool}/scripts/coveragerc"
    command = (sys.executable, "-m", "coverage", "json", "-q", settings, "-o", "-", *options)
    return json.loads(run(*command, cwd=checkout.root).stdout)


def counts_of_coverage(totals):
    names = ("num_statements", "covered_lines", "missing_lines", "num_branches", "covered_branches")
    return [totals.get(name, 0) for name in names]


def counts(totals):
    return [totals[name] for name in ("statements", "executed", "missed", "branches", "taken")]


def lines_of_coverage(found):
    return {
        path: {"executed": file["executed_lines"], "missed": file["missing_lines"]}
        for path, file in found["files"].items()
    }


def assert_numbers_are_those_of_coverage(checkout, runtime):
    """In all, per service and per file, in the analysis, in coverage.json and on the portal's first page."""
    found, whole = analysis(checkout, runtime), by_coverage(checkout)
    report = json.loads((checkout.root / "coverage.json").read_text())
    assert report["totals"] == whole["totals"]
    assert lines_of_coverage(report) == lines_of_coverage(whole)
    assert counts(found["totals"]) == counts_of_coverage(whole["totals"])
    assert found["totals"]["files"] == len(whole["files"])

    page = (checkout.root / "htmlcov" / "index.html").read_text()
    assert re.findall('class="big">(.*?)<', page) == [f"{whole['totals']['percent_covered_display']} %"]
    shown = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    statements, executed, _, branches, taken = map(str, counts_of_coverage(whole["totals"]))
    assert re.findall(r"\d+", shown["Statements executed"]) == [executed, statements]
    assert re.findall(r"\d+", shown.get("Branches taken", "0 of 0")) == [taken, branches]

    assert set(found["services"]) == set(shop.IMPORTED)
    for name, service in found["services"].items():
        own = by_coverage(checkout, f"--contexts=^{name}$", f"--include={','.join(service['files'])}")
        assert lines_of_coverage(own) == service["files"]
        assert counts(service["totals"]) == counts_of_coverage(own["totals"])
        row = page[page.index(f"<bdi>{name}</bdi></a></th>") :].partition("</tr>")[0]
        numbers = [str(number) for number in counts_of_coverage(own["totals"])]
        wanted = numbers[:3] if "Branches taken" not in shown else numbers
        assert re.search(r"<span>(\d+) %</span>", row)[1] == own["totals"]["percent_covered_display"]
        assert re.findall(r"<td[^>]*>(\d+)</td>", row)[: len(wanted)] == wanted


def assert_report_is_what_the_sources_say(checkout):
    """Each file's lines, whichever way the services run."""
    report = json.loads((checkout.root / "coverage.json").read_text())
    expected = {path: set() for path in shop.IDLE}
    for name in shop.IMPORTED:
        for path, line in set().union(*shop.executed(name, ())):
            expected.setdefault(path, set()).add(line)
    assert {path: set(found["executed_lines"]) for path, found in report["files"].items()} == expected


def assert_startup_is_told_from_traffic(checkout):
    for name, service in analysis(checkout, "compose")["services"].items():
        parts = shop.executed(name, shop.STARTED[name] + shop.POLLED[name] + shop.HEALTH)
        assert [service["phases"][phase] for phase in parts._fields] == [len(part) for part in parts], name
        lines = {(path, line) for path, file in service["files"].items() for line in file["executed"]}
        # Also what the worker did, which the tests kill and which writes no last word.
        assert lines == set().union(*parts)


def assert_startup_is_told_from_traffic_but_for_chance(checkout):
    """Without containers the worker may have its first answer before all ports are open, or after."""
    for name, service in analysis(checkout, "procfile")["services"].items():
        least = shop.executed(name, shop.STARTED[name])
        most = shop.executed(name, shop.STARTED[name] + shop.POLLED[name])
        phases = service["phases"]
        assert phases["definitions"] == len(least.definitions)
        assert len(least.startup) <= phases["startup"] <= len(most.startup)
        assert phases["startup"] + phases["traffic"] == len(least.startup | least.traffic)


@pytest.mark.engine
def test_committed_overlay_is_what_the_generator_writes(repository, tmp_path):
    repository.root = EXAMPLE
    build = [*compose_command(), "build"]
    subprocess.run(build, cwd=EXAMPLE, env=repository.environ, capture_output=True, check=True)
    repository.succeed("coverage-overlay", "--output", str(tmp_path / "overlay.yml"))
    committed = TOOL / "compose" / "docker-compose.coverage.yml"
    assert (tmp_path / "overlay.yml").read_text() == committed.read_text()


@pytest.mark.engine
@pytest.mark.every_engine
def test_containers_execute_what_the_sources_say(checkout):
    said = nox(checkout, "coverage", "compose")
    assert "3 containers ran the images as they are" in said
    assert checkout.proof()["deviations"] == []
    assert_report_is_what_the_sources_say(checkout)
    assert_numbers_are_those_of_coverage(checkout, "compose")
    assert_startup_is_told_from_traffic(checkout)


def test_processes_execute_what_the_sources_say(without_engine):
    checkout = without_engine
    first = nox(checkout, "coverage-report", "procfile")
    assert "there is no coverage data yet: running the task `coverage` first" in first
    assert "taking examples/shop" in first
    assert "running the task" not in nox(checkout, "coverage-report", "procfile")
    assert all((checkout.root / name).is_file() for name in REPORTS)
    assert_report_is_what_the_sources_say(checkout)
    assert_numbers_are_those_of_coverage(checkout, "procfile")
    assert_startup_is_told_from_traffic_but_for_chance(checkout)
    nox(checkout, "coverage-clean", "procfile")
    assert not any((checkout.root / name).exists() for name in (*REPORTS, "coverage-data"))
    nox(checkout, "coverage", "procfile", COVERAGE_BRANCH="true")
    assert analysis(checkout, "procfile")["totals"]["branches"] > 0
    assert_numbers_are_those_of_coverage(checkout, "procfile")
    assert_startup_is_told_from_traffic_but_for_chance(checkout)
