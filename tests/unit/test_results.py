"""Questions to the results that more than one report asks."""

import pytest
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.files import file_name
from coverage_tasks.recorded.marks import mark_startup
from coverage_tasks.results.lines import Phases, Share
from coverage_tasks.results.results import read_results

MAIN = """\
def start():
    return 1


def serve():
    x = 2
    return x


class C:
    def idle(self):
        pass
"""
LONG = "def long():\n    a = 1\n    b = 2\n    return a + b\n"


@pytest.fixture
def results(tmp_path):
    """a starts and serves, b only imports; nobody executes `idle` and `long`."""
    run = Run(tmp_path, {"main.py": MAIN, "long.py": LONG})
    for name in ("a", "b"):
        run.service(name, {f"/app/{path}": run.source(path) for path in ("main.py", "long.py")})
    run.lines("a", {"/app/main.py": (MAIN.encode(), [1, 5, 10, 11, 2])})
    run.lines("b", {"/app/long.py": (LONG.encode(), [1])})
    mark_startup(run.project, [])
    run.lines("a", {"/app/main.py": (MAIN.encode(), [1, 5, 10, 11, 6, 7])})
    run.lines("b", {"/app/main.py": (MAIN.encode(), [1, 5, 10, 11])})
    combine(run.project)
    return read_results(run.project)


def test_what_only_one_service_executed(results):
    assert (results.only("a"), results.only("b")) == (3, 1)


def test_gaps_begin_with_the_largest(results):
    assert [(path, sorted(lines.missed)) for path, lines in results.gaps()] == [
        ("long.py", [2, 3, 4]),
        ("main.py", [12]),
    ]


def test_functions_of_which_nothing_ran_begin_with_the_longest(results):
    assert [(path, function.name) for path, function in results.never_executed()] == [
        ("long.py", "long"),
        ("main.py", "C.idle"),
    ]


def test_what_ran_before_the_stack_was_ready(results):
    main = results.files["main.py"]
    assert sorted(main.early) == [1, 2, 5, 10, 11]
    assert (main.phases("a"), main.phases("b")) == (Phases(4, 1, 2), Phases(4, 0, 0))
    assert results.startup_is_known


def test_shares_are_of_all_and_of_one_service(results):
    main = results.files["main.py"]
    assert (main.share, results.share_of("b", "main.py"), results.share_of("a", "long.py")) == (
        Share(7, 8),
        Share(4, 8),
        Share(0, 4),
    )
    assert str(main.share) == "88 %"
    assert sorted(results.missed_by("b", "main.py")) == [2, 6, 7, 12]


@pytest.mark.parametrize("name", ["orders", "Orders.v2", "é"])
def test_a_plain_name_of_a_service_is_that_of_its_files(name):
    assert file_name(name) == name


def test_other_names_of_services_are_made_fit_for_files_and_differ():
    names = ["../x", "..", "a b", "a/b", "a\nb", "s" * 300, "s" * 301, "é" * 150]
    made = [file_name(name) for name in names]
    assert len({*made}) == len(names)
    assert all(0 < len(name.encode()) <= 220 and not name.startswith(".") and "/" not in name for name in made)


def test_statements_of_which_nothing_is_known_are_counted_apart(tmp_path):
    run = Run(tmp_path, {"a/main.py": MAIN, "b/long.py": LONG})
    run.service("a", {"/app/main.py": MAIN.encode()})
    run.service("b", {"/app/long.py": LONG.encode()})
    run.lines("a", {"/app/main.py": (MAIN.encode(), [1, 5, 10, 11])})
    combine(run.project)
    results = read_results(run.project)
    total, silent = results.total(), results.of_service("b")
    assert (total.statements, total.executed, total.unknown, total.unknown_statements) == (8, 4, 1, 4)
    assert (silent.statements, silent.unknown, silent.unknown_statements) == (0, 1, 4)
    assert silent.unknowns == "1 file, 4 statements"
    of_b = results.narrowed(["b"], "*").total()
    assert (of_b.unknown, of_b.unknown_statements) == (1, 4)
    assert results.narrowed([], "a/*").total().unknowns == "0"


def test_a_share_is_at_least_that_when_a_process_could_not_be_measured(tmp_path):
    run = Run(tmp_path, {"main.py": MAIN})
    run.service("a", {"/app/main.py": MAIN.encode()})
    run.lines("a", {"/app/main.py": (MAIN.encode(), [1, 5, 10, 11])})
    combine(run.project)
    assert read_results(run.project).of_service("a").cover == "50 %"
    run.lines("a", {}, engine="none", python="3.7.1", refusals=["CPython 3.7 is older than 3.8"])
    combine(run.project)
    assert read_results(run.project).of_service("a").cover == "at least 50 %"
    assert read_results(run.project).total().cover == "at least 50 %"
