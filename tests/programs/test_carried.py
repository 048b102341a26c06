"""Files that have drifted: what ran of a version that git holds is shown on today's, the rest is unknown, not 0 %."""

import json
from dataclasses import replace

import pytest
from checkouts import commit, git
from data_files import executed
from journal_files import Run, sentences

from coverage_tasks.combined.combine import combine
from coverage_tasks.combined.model import Carried, read_combined
from coverage_tasks.reports import formats
from coverage_tasks.results.results import read_results

OLD = """\
import os

def get(x):
    if x:
        return 1
    return 2

def unused():
    return 3
"""
NEW = """\
import os
import sys

def get(x):
    if x:
        return 1
    return sys.maxsize

def unused():
    return 3

def added():
    return 4
"""
RAN = [1, 3, 4, 6, 8]
KNOWN = [1, 4, 5, 6, 9, 10]  # `import sys`, the second return and `added` are new


@pytest.fixture
def run(tmp_path):
    """An image built at one commit, and a checkout that is ahead of it."""
    run = Run(tmp_path, {"orders/main.py": OLD, "orders/util.py": "a = 1\n", ".gitignore": "coverage-data\n"})
    git(tmp_path, "init", "-q")
    run.built = commit(tmp_path)
    run.service("orders", {"/app/main.py": OLD.encode(), "/app/util.py": b"a = 1\n"})
    (tmp_path / "orders/main.py").write_text(NEW)
    return run


def old_run(run, source=OLD):
    return run.lines("orders", {"/app/main.py": (source.encode(), RAN), "/app/util.py": (b"a = 1\n", [1])})


@pytest.mark.parametrize("committed", [True, False])
def test_what_ran_of_an_old_version_is_shown_on_the_same_statements(run, committed):
    old_run(run)
    if committed:
        commit(run.project.root)
    combined = combine(run.project)
    assert executed(run)["orders"] == {"orders/main.py": {1, 4, 5, 9}, "orders/util.py": {1}}
    orders = combined.services["orders"]
    assert (orders.files, orders.never_imported, orders.unknown) == (["orders/main.py", "orders/util.py"], [], {})
    blob = git(run.project.root, "rev-parse", f"{run.built}:orders/main.py").strip()
    assert orders.carried == {"orders/main.py": Carried(run.built, blob, "orders/main.py", 4, 1, KNOWN)}
    assert read_combined(run.project).services["orders"].carried == orders.carried
    assert sentences(combined.findings) == [
        f"orders: orders/main.py is as of commit {run.built[:10]}: 4 executed lines carried over to the same "
        "statements, 1 lost, and what changed since is unknown: rebuild the image"
    ]


def test_reports_leave_out_what_has_changed_since(run):
    old_run(run)
    combine(run.project)
    run.write(formats.JSON)
    main = json.loads((run.project.root / "coverage.json").read_text())["files"]["orders/main.py"]
    assert main["executed_lines"] == [1, 4, 5, 9]
    assert main["missing_lines"] == [6, 10]
    assert main["excluded_lines"] == [2, 7, 12, 13]
    results = read_results(run.project)
    totals = results.of_service("orders")
    assert (totals.statements, totals.executed, totals.unknown, totals.unknown_statements) == (7, 5, 0, 4)
    assert totals == replace(results.total(), at_least=False)
    for report in (formats.HTML, formats.XML, formats.LCOV):
        run.write(report)
    assert "LF:6" in (run.project.root / "lcov.info").read_text()


def test_a_service_that_ran_the_present_version_knows_all_of_it(run):
    old_run(run)
    run.service("jobs", {"/srv/main.py": NEW.encode()})
    run.lines("jobs", {"/srv/main.py": (NEW.encode(), [1, 2, 4, 9, 12])})
    combine(run.project)
    run.write(formats.JSON)
    main = json.loads((run.project.root / "coverage.json").read_text())["files"]["orders/main.py"]
    assert (main["executed_lines"], main["missing_lines"]) == ([1, 2, 4, 5, 9, 12], [6, 7, 10, 13])
    results = read_results(run.project)
    assert results.of_service("jobs").statements == 10
    orders = results.of_service("orders")
    assert (orders.statements, orders.unknown_statements) == (7, 4)
    assert results.total().unknown_statements == 0
    assert results.narrowed(["orders"], "*").of_service("orders").unknown_statements == 4


def test_a_process_of_the_present_version_makes_all_of_it_known(run):
    old_run(run)
    run.lines("orders", {"/app/main.py": (NEW.encode(), [1, 2, 4, 9, 12])})
    orders = combine(run.project).services["orders"]
    assert orders.carried == {}
    assert executed(run)["orders"]["orders/main.py"] == {1, 2, 4, 5, 9, 12}


def test_old_unimported_file_is_known_in_part(run):
    run.lines("orders", {"/app/util.py": (b"a = 1\n", [1])})
    orders = combine(run.project).services["orders"]
    assert orders.never_imported == ["orders/main.py"]
    assert (orders.carried["orders/main.py"].lines, orders.carried["orders/main.py"].known) == (0, KNOWN)


def test_a_version_that_git_does_not_have_stays_unknown(run):
    old_run(run, OLD.replace("return 2", "return 22"))
    orders = combine(run.project).services["orders"]
    assert orders.carried == {}
    assert list(orders.unknown) == ["orders/main.py"]


def test_that_a_shallow_clone_may_lack_the_version_is_said(run, tmp_path_factory):
    commit(run.project.root)
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "-q", "--depth", "1", f"file://{run.project.root}", ".")
    shallow = Run(clone, {})
    shallow.service("orders", {"/app/main.py": OLD.encode(), "/app/util.py": b"a = 1\n"})
    old_run(shallow)
    (reason,) = combine(shallow.project).services["orders"].unknown.values()
    assert "this clone is shallow: `git fetch --unshallow`" in reason


def test_without_a_statement_in_common_the_file_stays_unknown(run):
    old_run(run)
    (run.project.root / "orders/main.py").write_text("NOW = 1\n")
    orders = combine(run.project).services["orders"]
    assert (orders.carried, list(orders.unknown)) == ({}, ["orders/main.py"])


def test_an_image_of_nothing_but_old_files_is_mapped_by_them(run):
    run.lines("orders", {"/app/main.py": (OLD.encode(), RAN), "/app/util.py": (b"a = 1\n", [1])})
    (run.project.root / "orders/util.py").write_text("a = 1\nb = 2\n")
    orders = combine(run.project).services["orders"]
    assert list(orders.carried) == ["orders/main.py", "orders/util.py"]
    assert [(root.container, root.repository) for root in orders.roots] == [("/app", "orders")]


def test_a_file_that_was_renamed_since_is_shown_under_its_new_name(run):
    git(run.project.root, "checkout", "-q", "--", ".")
    git(run.project.root, "mv", "orders/main.py", "orders/app.py")
    commit(run.project.root)
    old_run(run)
    combined = combine(run.project)
    assert executed(run)["orders"] == {"orders/app.py": set(RAN), "orders/util.py": {1}}
    assert combined.services["orders"].carried["orders/app.py"].lost == 0


def test_a_directory_that_was_renamed_since_is_followed(run):
    git(run.project.root, "mv", "orders", "services")
    commit(run.project.root)
    old_run(run)
    combine(run.project)
    assert executed(run)["orders"] == {"services/main.py": {1, 4, 5, 9}, "services/util.py": {1}}


def test_a_file_edited_under_a_running_process_is_known_in_part(tmp_path):
    run = Run(tmp_path, {"orders/main.py": OLD}, "procfile")
    git(tmp_path, "init", "-q")
    commit(tmp_path)
    run.service("orders")
    run.lines("orders", {f"{tmp_path}/orders/main.py": (OLD.encode(), RAN)})
    (tmp_path / "orders/main.py").write_text(NEW)
    assert combine(run.project).services["orders"].carried["orders/main.py"].known == KNOWN
    assert executed(run)["orders"]["orders/main.py"] == {1, 4, 5, 9}


def test_branches_are_carried_where_both_ends_are_and_lines_where_one_is(run):
    arcs = [(-1, 1), (1, 3), (3, 8), (8, -1), (-3, 4), (4, 6), (6, -3)]
    run.arcs("orders", {"/app/main.py": (OLD.encode(), arcs), "/app/util.py": (b"a = 1\n", [(-1, 1), (1, -1)])})
    combine(run.project)
    assert executed(run)["orders"]["orders/main.py"] == {1, 4, 5, 9}
    run.write(formats.JSON)
    main = json.loads((run.project.root / "coverage.json").read_text())["files"]["orders/main.py"]
    assert (main["executed_lines"], main["missing_lines"]) == ([1, 4, 5, 9], [6, 10])
    assert main["missing_branches"] == [[5, 6]]
    assert 0 <= read_results(run.project).of_service("orders").taken <= 2
