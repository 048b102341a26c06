"""From one run to another: what is newly executed, what no longer is, and what nobody can say."""

import io
import json
from argparse import Namespace
from contextlib import redirect_stdout

import pytest
from checkouts import commit, git, write
from data_files import data_file
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.results.lines import Share
from coverage_tasks.runs.difference import compare
from coverage_tasks.runs.store import NO_SOURCE, PRESENT, open_run, save_run
from coverage_tasks.tasks.runs import compare as show_difference

MAIN = """\
import rates


def order(n):
    if n:
        return rates.RATE
    return 0


def cancel():
    return None
"""
FILES = {
    "orders/main.py": MAIN,
    "orders/idle.py": "i = 1\n",
    "jobs/main.py": "j = 1\nk = 2\n",
    "libs/rates.py": "RATE = 1\n\n\ndef tax():\n    return 2\n",
    ".gitignore": "coverage-data/\n",
}
IMAGES = {
    "orders": {"/app/main.py": "orders/main.py", "/app/idle.py": "orders/idle.py", "/app/rates.py": "libs/rates.py"},
    "jobs": {"/srv/main.py": "jobs/main.py", "/srv/rates.py": "libs/rates.py"},
}
OLD = {
    "orders": {"orders/main.py": [1, 4, 5, 6, 10, 11], "libs/rates.py": [1, 4]},
    "jobs": {"jobs/main.py": [1, 2], "libs/rates.py": [1, 4, 5]},
}


def record(run, name, services):
    """A run whose images are as the checkout is: service -> repository path -> lines, None: it sends nothing."""
    run.forget()
    run.services.clear()
    for service, executed in services.items():
        there = {place: path for place, path in IMAGES[service].items() if (run.project.root / path).exists()}
        run.service(service, {place: run.source(path) for place, path in there.items()})
        if executed is not None:
            files = {place: (run.source(path), executed[path]) for place, path in there.items() if path in executed}
            run.lines(service, files)
    combine(run.project)
    if name:
        save_run(run.project, name, force=False)


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, FILES)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    record(run, "old", OLD)
    return run


def compared(run, old="old", new=""):
    return compare(open_run(run.project, old), open_run(run.project, new))


def changed(difference):
    """Path -> covered, lost, untested, gone; of what changed."""
    return {
        path: (set(change.covered), set(change.lost), set(change.untested), change.gone)
        for path, change in difference.files.items()
        if change
    }


def test_the_same_run_twice_has_no_difference(run):
    difference = compared(run)
    assert (difference.old, difference.new) == ("old", PRESENT)
    assert changed(difference) == {}
    assert difference.of_directories() == {}
    assert difference.total().before == difference.total().after == Share(11, 13)
    assert not difference.incomparable


def test_newly_covered_and_newly_lost_statements_and_files(run):
    new = {
        "orders": {"orders/main.py": [1, 4, 5, 7, 10], "orders/idle.py": [1], "libs/rates.py": [1, 4]},
        "jobs": {"libs/rates.py": [1, 4, 5]},
    }
    record(run, None, new)
    difference = compared(run)
    assert changed(difference) == {
        "jobs/main.py": (set(), {1, 2}, set(), 0),
        "orders/idle.py": ({1}, set(), set(), 0),
        "orders/main.py": ({7}, {6, 11}, set(), 0),
    }
    assert difference.newly_covered() == ["orders/idle.py"]
    assert difference.newly_lost() == ["jobs/main.py"]
    numbers = difference.of_directories()
    assert numbers.keys() == {"jobs", "orders"}
    assert (numbers["orders"].before, numbers["orders"].after) == (Share(6, 8), Share(6, 8))
    assert (numbers["orders"].covered, numbers["orders"].lost) == (2, 2)


def test_a_service_loses_what_another_still_executes(run):
    record(run, None, {"orders": {**OLD["orders"], "libs/rates.py": [1, 4, 5]}, "jobs": {"jobs/main.py": [1, 2]}})
    difference = compared(run)
    assert changed(difference) == {}
    services = difference.of_services()
    assert (services["jobs"].lost, services["jobs"].covered) == (3, 0)
    assert (services["orders"].lost, services["orders"].covered) == (0, 1)
    assert difference.services["jobs"]["libs/rates.py"].lost == {1, 4, 5}


def test_statements_are_followed_through_a_change_of_their_file(run):
    text = MAIN.replace("import rates\n", '"""Orders."""\n\nimport rates\nimport sys\n')
    text = text.replace("return 0", "return sys")
    write(run.project.root, {"orders/main.py": text + "\n\ndef more():\n    return 1\n"})
    moved = {"orders/main.py": [3, 4, 7, 8, 10, 13, 17], "libs/rates.py": [1, 4]}
    record(run, None, {**OLD, "orders": moved})
    assert changed(compared(run)) == {
        # Executed are the new import and the head of the new function, and the return that was another one before;
        # lost are the first return and the body of cancel; the body of the new function was never executed.
        "orders/main.py": ({4, 10, 17}, {9, 14}, {18}, 0)
    }
    record(run, None, {**OLD, "orders": moved | {"orders/main.py": [3, 4, 7, 8, 9, 13, 14, 17, 18]}})
    assert changed(compared(run)) == {"orders/main.py": ({4, 17, 18}, set(), {10}, 0)}


def test_statements_that_are_no_longer_there_are_gone_not_lost(run):
    write(run.project.root, {"orders/main.py": MAIN[: MAIN.index("\n\ndef cancel")]})
    record(run, None, {**OLD, "orders": {"orders/main.py": [1, 4, 5, 6], "libs/rates.py": [1, 4]}})
    assert changed(compared(run)) == {"orders/main.py": (set(), set(), set(), 2)}
    (run.project.root / "orders/main.py").unlink()
    record(run, None, {**OLD, "orders": {"libs/rates.py": [1, 4]}})
    assert changed(compared(run)) == {"orders/main.py": (set(), set(), set(), 6)}


def test_a_new_file_is_covered_and_untested(run, monkeypatch):
    monkeypatch.setitem(IMAGES["orders"], "/app/new.py", "orders/new.py")
    write(run.project.root, {"orders/new.py": "a = 1\nb = 2\n"})
    record(run, None, {**OLD, "orders": OLD["orders"] | {"orders/new.py": [1]}})
    difference = compared(run)
    assert changed(difference) == {"orders/new.py": ({1}, set(), {2}, 0)}
    assert difference.newly_covered() == ["orders/new.py"]


def test_a_service_that_sent_nothing_lost_nothing(run):
    record(run, None, {"orders": OLD["orders"], "jobs": None})
    difference = compared(run)
    assert changed(difference) == {}  # line 5 of the library, which only jobs executed, may have run again
    assert difference.services.keys() == {"orders"}
    assert difference.unknown_services == {"jobs": f"its service sent nothing, in {PRESENT}"}
    assert difference.incomparable == {"jobs/main.py": f"its service sent nothing, in {PRESENT}"}
    # What may have run again is in neither percentage; one that fell would say that it was lost.
    assert difference.files["libs/rates.py"].doubtful == {5}
    assert difference.total().before == difference.total().after == Share(8, 10)
    back = compared(run, "", "old")
    assert (changed(back), back.incomparable.keys()) == ({}, {"jobs/main.py"})
    assert back.total().before == back.total().after == Share(8, 10)


def test_a_process_that_could_not_be_measured_is_named_beside_what_is_lost(run):
    record(run, None, {**OLD, "orders": {"orders/main.py": [1, 4, 10], "libs/rates.py": [1, 4]}})
    run.lines("orders", {}, engine="none", refusals=["too old"])
    combine(run.project)
    difference = compared(run)
    assert changed(difference)["orders/main.py"] == (set(), {5, 6, 11}, set(), 0)
    assert difference.notes == (f"orders had a process of which not all is known, in {PRESENT}: it may have run more",)


def test_a_service_that_is_not_in_a_run_lost_nothing(run):
    record(run, "new", {"orders": OLD["orders"]})
    difference = compared(run)
    assert difference.unknown_services == {"jobs": f"it is not in {PRESENT}"}
    assert difference.incomparable == {"jobs/main.py": f"there is no service jobs in {PRESENT}"}


def test_an_old_source_that_nobody_has_makes_a_file_incomparable(run):
    write(run.project.root, {"orders/main.py": MAIN + "# never committed\n"})
    record(run, "uncommitted", OLD)
    write(run.project.root, {"orders/main.py": MAIN})
    record(run, None, OLD)
    difference = compared(run, "uncommitted")
    assert difference.incomparable == {"orders/main.py": f"{NO_SOURCE}, in uncommitted"}
    assert changed(difference) == {}


def test_two_saved_runs_of_sources_that_are_both_old(run):
    write(run.project.root, {"orders/main.py": "# 1\n" + MAIN})
    commit(run.project.root)
    record(run, "new", {**OLD, "orders": {"orders/main.py": [2, 5], "libs/rates.py": [1, 4]}})
    write(run.project.root, {"orders/main.py": "nothing = 'of this'\n"})
    assert changed(compared(run, "old", "new")) == {"orders/main.py": (set(), {6, 7, 11, 12}, set(), 0)}


def test_a_unit_test_run_is_a_run(run, tmp_path_factory):
    lines = {"orders/main.py": [1, 4, 10, 11], "orders/idle.py": [1], "libs/rates.py": [1, 4, 5]}
    unit = data_file(tmp_path_factory.mktemp("unit") / "unit.db", lines=lines)
    difference = compared(run, str(unit), "old")
    assert changed(difference) == {
        "jobs/main.py": ({1, 2}, set(), set(), 0),
        "orders/idle.py": (set(), {1}, set(), 0),
        "orders/main.py": ({5, 6}, set(), set(), 0),
    }
    assert difference.services == {}
    assert "does not say which sources it speaks of" in difference.notes[0]


def test_branches_are_compared_by_their_lines(run):
    arcs = [(-1, 1), (1, 4), (4, 10), (10, -1), (-4, 5), (5, 7), (7, -4)]
    run.forget()
    image = IMAGES["orders"]
    run.services.clear()
    run.service("orders", {place: run.source(path) for place, path in image.items()})
    run.arcs("orders", {"/app/main.py": (run.source("orders/main.py"), arcs)})
    combine(run.project)
    assert open_run(run.project).files["orders/main.py"].branches == 2
    assert changed(compared(run))["orders/main.py"] == ({7}, {6, 11}, set(), 0)


def test_what_an_old_image_does_not_tell_is_no_change(run):
    """The image is older than the checkout: the statements that changed since are neither covered nor lost."""
    run.forget()
    write(run.project.root, {"orders/main.py": MAIN.replace("return 0", "return -1")})
    commit(run.project.root)
    run.lines("orders", {"/app/main.py": (MAIN.encode(), [1, 4, 5, 6, 10, 11])})
    run.lines("jobs", {"/srv/main.py": (run.source("jobs/main.py"), [1, 2])})
    combine(run.project)
    assert open_run(run.project).combined.services["orders"].carried
    difference = compared(run, "old", "")
    assert changed(difference) == {"libs/rates.py": (set(), {1, 4, 5}, set(), 0)}
    record(run, None, {**OLD, "orders": OLD["orders"] | {"orders/main.py": [1, 4, 5, 7, 10]}})
    assert changed(compared(run))["orders/main.py"] == ({7}, {6, 11}, set(), 0)


def shown(run, **form):
    with redirect_stdout(io.StringIO()) as out:
        show_difference(run.project, Namespace(**{"old": "old", "new": "", "json": False, "markdown": False} | form))
    return out.getvalue()


def test_the_table_names_folders_services_and_files(run):
    record(run, None, {**OLD, "orders": {"orders/main.py": [1, 4, 10], "libs/rates.py": [1, 4]}, "jobs": None})
    text = shown(run)
    lines = [line.split() for line in text.splitlines()]
    assert ["orders", "2", "8", "75", "%", "38", "%", "0", "3", "0", "0"] in lines
    assert "- newly lost in orders/main.py: lines 5-6, 11" in text
    assert "- jobs is not compared: its service sent nothing, in the present run" in text
    assert "- jobs/main.py is not comparable: its service sent nothing, in the present run" in text
    markdown = shown(run, markdown=True)
    assert "| orders | 2 | 8 | 75 % | 38 % | 0 | 3 | 0 | 0 |" in markdown
    found = json.loads(shown(run, json=True))
    assert found["files"]["orders/main.py"] == {"covered": [], "lost": [5, 6, 11], "untested": [], "gone": 0}
    assert found["directories"]["orders"]["before"] == {"executed": 6, "of": 8}
    assert found["services"]["orders"]["lost"] == 3


def test_names_of_files_cannot_disturb_a_page(run, monkeypatch):
    monkeypatch.setitem(IMAGES["orders"], "/app/<b>|\x1b[1m.py", "orders/<b>|\x1b[1m.py")
    write(run.project.root, {"orders/<b>|\x1b[1m.py": "a = 1\n"})
    record(run, None, {**OLD, "orders": OLD["orders"] | {"orders/<b>|\x1b[1m.py": [1]}})
    assert "newly covered in orders/<b>|\\x1b[1m.py: line 1" in shown(run)
    assert "newly covered in orders/&#60;b&#62;" in shown(run, markdown=True)
