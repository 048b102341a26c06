"""The analysis: the same numbers as coverage.py's, per service and directory, and what is unknown apart."""

import io
import json
from argparse import Namespace
from contextlib import redirect_stdout

import pytest
from journal_files import Run

from coverage_tasks.answers.analysis import of_results
from coverage_tasks.combined.combine import combine
from coverage_tasks.errors import TaskError
from coverage_tasks.reports import formats
from coverage_tasks.results.results import Totals, read_results
from coverage_tasks.tasks.task import show

FILES = {
    "orders/main.py": "a = (1,\n     2)\nb = 2\nc = 3  # pragma: no cover\n",
    "orders/api/routes.py": "r = 1\n",
    "orders/idle.py": "i = 1\n",
    "libs/rates.py": "RATE = 1\nTAX = 2\nOFF = 3\n",
    "broken/main.py": "def:\n",
}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, FILES)
    libs = {"/app/libs/rates.py": run.source("libs/rates.py")}
    orders = {f"/app/{name}": run.source(f"orders/{name}") for name in ("main.py", "api/routes.py", "idle.py")}
    run.service("orders", orders | libs)
    run.service("other", {"/srv/broken/main.py": run.source("broken/main.py")} | libs)
    run.lines(
        "orders", {"/app/main.py": (run.source("orders/main.py"), [2, 4]), "/app/libs/rates.py": (*libs.values(), [1])}
    )
    run.lines("other", {"/app/libs/rates.py": (*libs.values(), [2]), "/srv/made.py": (b"m = 1\n", [1])})
    combine(run.project)
    return run


def analysed(run, **form):
    form = {"json": False, "markdown": False, "service": [], "path": "*", "runs": 10} | form
    found = [form[name] for name in ("service", "path", "runs")]
    with redirect_stdout(io.StringIO()) as out:
        show(of_results(run.project, read_results(run.project), *found), Namespace(**form))
    return out.getvalue()


def test_numbers_are_those_of_coverage(run):
    run.write(formats.JSON)
    files = json.loads((run.project.root / "coverage.json").read_text())["files"]
    results = read_results(run.project)
    assert {path: (e["executed_lines"], e["missing_lines"]) for path, e in files.items()} == {
        path: (sorted(lines.executed), sorted(lines.statements - lines.executed))
        for path, lines in results.files.items()
    }


def test_the_union_of_the_services_is_the_whole(run):
    for lines in read_results(run.project).files.values():
        assert frozenset().union(*lines.by_service.values()) == lines.executed


def test_a_service_has_the_lines_it_executed_itself(run):
    assert read_results(run.project).files["libs/rates.py"].by_service == {"orders": {1}, "other": {2}}


def test_totals_of_services_directories_and_all(run):
    results = read_results(run.project)
    assert results.of_service("orders") == Totals(4, 7, 2, 2, 0)
    assert results.of_directories("orders") == {
        "libs": Totals(1, 3, 1, 0, 0),
        "orders": Totals(2, 3, 1, 1, 0),
        "orders/api": Totals(1, 1, 0, 1, 0),
    }
    assert results.of_service("other") == Totals(1, 3, 1, 0, 2)
    assert results.total() == Totals(4, 7, 3, 2, 2)


def test_unknown_is_said_with_its_reason(run):
    analysis = json.loads(analysed(run, json=True))
    assert list(analysis["unknown"]) == ["broken/main.py"]
    assert list(analysis["services"]["other"]["unmapped"]) == ["/srv/made.py"]
    text = analysed(run)
    assert "broken/main.py is unknown" in text
    assert "/srv/made.py is not mapped: it is only in the container" in text


def test_json_tells_executed_and_missed_lines_per_service(run):
    orders = json.loads(analysed(run, json=True))["services"]["orders"]
    assert orders["files"]["libs/rates.py"] == {"executed": [1], "missed": [2, 3]}
    assert orders["never_imported"] == ["orders/api/routes.py", "orders/idle.py"]
    assert orders["totals"]["missed"] == 5


def test_markdown_has_a_table_per_service(run):
    text = analysed(run, markdown=True)
    assert "## orders" in text
    assert "| orders/api | 1 | 1 | 0 | 1 | 0 % | 1 | 0 |" in text


def test_a_new_combine_is_seen(run):
    before = read_results(run.project).total()
    run.lines("orders", {"/app/idle.py": (run.source("orders/idle.py"), [1])})
    combine(run.project)
    assert read_results(run.project).total().executed == before.executed + 1


def test_what_coveragerc_leaves_out_does_not_count(run):
    (run.project.root / ".coveragerc").write_text("[report]\nomit = orders/*\n")
    assert read_results(run.project).of_service("orders") == Totals(1, 3, 1, 0, 0)


def test_filters_leave_nothing_else_in(run):
    orders = json.loads(analysed(run, json=True, service=["orders"], path="orders/*"))
    assert list(orders["services"]) == ["orders"]
    assert set(orders["services"]["orders"]["files"]) == {"orders/api/routes.py", "orders/idle.py", "orders/main.py"}
    whole = json.loads(analysed(run, json=True))["services"]["orders"]["files"]
    assert all(whole[path] == lines for path, lines in orders["services"]["orders"]["files"].items())
    assert orders["unknown"] == {}
    alone = json.loads(analysed(run, json=True, service=["orders"]))
    assert alone["totals"]["executed"] == alone["services"]["orders"]["totals"]["executed"]
    with pytest.raises(TaskError, match="no service 'order' in what was combined: name one of"):
        analysed(run, service=["order"])


def test_gaps_are_ranked_and_dead_code_is_named(run):
    text = analysed(run)
    gaps = text[text.index("what no service executed") :].partition("\n\n")[0].splitlines()[2:]
    missed = [int(line.split()[1]) for line in gaps]
    assert len(missed) > 1
    assert missed == sorted(missed, reverse=True)
    assert "orders/idle.py" in text[text.index("imported by no service") :]
    assert json.loads(analysed(run, json=True))["never_imported"] == ["orders/api/routes.py", "orders/idle.py"]


def test_markdown_fits_into_the_summary_of_a_step(run, monkeypatch):
    whole = analysed(run, markdown=True)
    monkeypatch.setattr("coverage_tasks.text.SUMMARY_BYTES", 400)
    cut = analysed(run, markdown=True)
    assert len(cut.encode()) < 600
    kept, _, rest = cut.rpartition("\n\n")
    assert whole.startswith(kept)
    assert f"{len(whole.splitlines()) - len(kept.splitlines())} more lines do not fit here" in rest
