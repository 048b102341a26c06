"""Sets of executed statements: unions, intersections and what only the first run executed, out of real data files."""

import io
import json
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stdout

import pytest
from checkouts import commit, git, write
from coverage import CoverageData
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.coverage_settings import TEMPLATE
from coverage_tasks.errors import TaskError
from coverage_tasks.runs.sets import operate
from coverage_tasks.runs.store import open_run, save_run
from coverage_tasks.tasks.runs import runs as show_runs

MAIN = """\
import rates


def order(n):
    total = sum(
        (n,
         rates.RATE)
    )
    if n:
        return total
    return 0


def cancel():
    return None


def refund():
    return 1  # neither
"""
UNIT = """\
import unittest

import main


class Test(unittest.TestCase):
    def test_order(self):
        self.assertEqual(main.order(0), 0)

    def test_cancel(self):
        self.assertIsNone(main.cancel())
"""
FILES = {
    "orders/main.py": MAIN,
    "orders/rates.py": "RATE = 1\n",
    "orders/only_unit.py": "u = 1\n",
    "orders/tests/test_main.py": UNIT.replace("import main\n", "import main\nimport only_unit\n"),
    ".gitignore": "coverage-data/\n",
}


@pytest.fixture
def run(tmp_path):
    """An end-to-end run `e2e`: an order was made, nothing was cancelled."""
    run = Run(tmp_path / "shop", FILES)
    git(run.project.root, "init", "-q")
    commit(run.project.root)
    run.service("orders", {f"/app/{name}": run.source(f"orders/{name}") for name in ("main.py", "rates.py")})
    # An interpreter may report any line of a statement of several.
    files = {"main.py": [1, 4, 5, 6, 7, 9, 10, 14, 18], "rates.py": [1]}
    run.lines("orders", {f"/app/{name}": (run.source(f"orders/{name}"), lines) for name, lines in files.items()})
    combine(run.project)
    save_run(run.project, "e2e", force=False)
    return run


def unit_tests(run, *options, directory="orders"):
    """Real unit tests below real coverage.py. Returns their data file."""
    place = run.project.root / directory
    start = ["--source", ".", *options, "-m", "unittest", "discover", "-q", "-s", "tests"]
    command = [sys.executable, "-m", "coverage", "run", "--data-file", "unit.coverage", *start]
    subprocess.run(command, cwd=place, check=True, capture_output=True, env={"PYTHONPATH": str(place)})
    return str(place / "unit.coverage")


def results(run, operation, *names):
    combination = operate(run.project, operation, [open_run(run.project, name) for name in names])
    return {path: set(part.result) for path, part in combination.files.items()}


@pytest.mark.parametrize("options", [(), ("--branch",), ("--context", "unit")])
def test_unit_tests_subtracted_leave_the_lines_that_only_the_run_reaches(run, options):
    unit = unit_tests(run, *options)
    assert results(run, "subtract", "e2e", unit) == {
        "orders/main.py": {10},
        "orders/rates.py": set(),
        "orders/only_unit.py": set(),
    }
    assert results(run, "subtract", unit, "e2e") == {
        "orders/main.py": {11, 15},
        "orders/rates.py": set(),
        "orders/only_unit.py": {1},
    }
    assert results(run, "intersect", "e2e", unit)["orders/main.py"] == {1, 4, 5, 9, 14, 18}
    assert results(run, "union", "e2e", unit) == {
        "orders/main.py": {1, 4, 5, 9, 10, 11, 14, 15, 18},
        "orders/rates.py": {1},
        "orders/only_unit.py": {1},
    }


def test_of_three_runs(run):
    run.forget()
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1, 4, 18, 19])})
    combine(run.project)
    save_run(run.project, "refunds", force=False)
    unit = unit_tests(run)
    assert results(run, "subtract", "e2e", unit, "refunds")["orders/main.py"] == {10}
    assert results(run, "subtract", "refunds", unit, "e2e")["orders/main.py"] == {19}
    assert results(run, "intersect", "e2e", unit, "refunds")["orders/main.py"] == {1, 4, 18}
    assert len(results(run, "union", "e2e", unit, "refunds")["orders/main.py"]) == 10


def test_runs_of_older_sources_are_carried_over_to_the_checkout(run):
    write(run.project.root, {"orders/main.py": "# first\n" + MAIN.replace("return 0", "return -n")})
    unit = unit_tests(run)
    # Line 12 is not what the older run could have executed, so nobody can say whether only the tests reach it.
    assert results(run, "subtract", "e2e", unit)["orders/main.py"] == {11}
    assert results(run, "subtract", unit, "e2e")["orders/main.py"] == {16}
    assert 12 in results(run, "union", unit, "e2e")["orders/main.py"]


def test_files_that_are_not_comparable_are_named_and_left_out(run):
    unit = unit_tests(run)
    (run.project.root / "orders/rates.py").unlink()
    combination = operate(run.project, "subtract", [open_run(run.project, name) for name in ("e2e", unit)])
    assert combination.incomparable == {"orders/rates.py": "it is not in the checkout"}


def test_what_a_run_knows_nothing_about_is_no_difference(run):
    run.forget()
    names = ("rates.py", "only_unit.py")
    run.service("jobs", {f"/srv/{name}": run.source(f"orders/{name}") for name in names})
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1])})
    combine(run.project)
    unit = unit_tests(run)
    runs = [open_run(run.project, name) for name in (unit, "")]
    combination = operate(run.project, "subtract", runs)
    assert combination.incomparable == {"orders/only_unit.py": "its service sent nothing, in the present run"}
    assert "the present run tells nothing of jobs: what they executed is not in it" in combination.notes
    assert operate(run.project, "union", runs).files["orders/only_unit.py"].result == {1}


def called(run, operation, *names, **form):
    options = {"output": None, "force": False, "json": False, "markdown": False}
    with redirect_stdout(io.StringIO()) as out:
        show_runs(run.project, Namespace(operation=operation, runs=list(names), **options | form))
    return out.getvalue()


def test_the_result_is_an_ordinary_data_file(run, tmp_path):
    unit = unit_tests(run)
    file = tmp_path / "only-e2e"
    called(run, "subtract", "e2e", unit, output=file)
    data = CoverageData(str(file))
    data.read()
    assert data.contexts_by_lineno("orders/main.py") == {10: ["orders"]}
    with pytest.raises(TaskError, match="is there already: name another file, or say --force"):
        called(run, "union", "e2e", unit, output=file)
    called(run, "union", "e2e", unit, output=file, force=True)
    coverage = subprocess.run(
        [sys.executable, "-m", "coverage", "json", "--data-file", file, f"--rcfile={TEMPLATE}", "-o", "-", "-q"],
        cwd=run.project.root,
        capture_output=True,
        text=True,
    )
    assert coverage.returncode == 0, coverage.stderr
    assert json.loads(coverage.stdout)["files"]["orders/main.py"]["missing_lines"] == [19]
    assert results(run, "subtract", str(file), "e2e")["orders/main.py"] == {11, 15}


def test_the_table_has_a_column_for_each_run(run):
    unit = unit_tests(run)
    text = called(run, "subtract", "e2e", unit)
    first, *rows = text.splitlines()
    assert first.split("  ")[-1].strip() == "cover"
    assert f"in {unit}" in first
    assert ["orders", "3", "12", "8", "10", "1", "8", "%"] in [row.split() for row in rows]
    assert "| orders | 3 | 12 | 8 | 10 | 1 | 8 % |" in called(run, "subtract", "e2e", unit, markdown=True)
    found = json.loads(called(run, "subtract", "e2e", unit, json=True))
    assert found["files"]["orders/main.py"] == {"statements": 10, "lines": [10]}


@pytest.mark.parametrize("names", [(), ("e2e",), ("e2e", "e2e")])
def test_too_few_runs_is_usage(run, names):
    with pytest.raises(TaskError, match="union takes two runs or more, each once") as error:
        called(run, "union", *names)
    assert error.value.exit_code == 2


def test_without_an_operation_the_saved_runs_are_listed(run):
    text = called(run, None)
    assert text.split()[:5] == ["run", "recorded", "commit", "services", "files"]
    assert text.splitlines()[1].split()[0] == "e2e"
    assert list(json.loads(called(run, None, json=True))["runs"]) == ["e2e"]
