"""Candidates for dead code: what ran in no run, which runs know of it, and what of changed sources can be said."""

import io
import json
import os
import shutil
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stdout

import pytest
from checkouts import commit, git
from journal_files import Run

from coverage_tasks.answers.analysis import of_results
from coverage_tasks.combined.combine import combine
from coverage_tasks.project import TOOL
from coverage_tasks.results.results import read_results
from coverage_tasks.runs.dead_code import find_candidates
from coverage_tasks.runs.store import COMBINED, DATA, save_run
from coverage_tasks.tasks.task import show

MAIN = """\
import rates

def used():
    return 1

def rare(
    a=1,
):
    return [
        a,
    ]

class Order:
    def total(self):
        def inner():
            return 2
        return inner

    @property
    def state(self):
        return 3

    @state.setter
    def state(self, new):
        self.new = new
"""
SHIFTED = "# a comment\n\n\n" + MAIN
USED, RARE, TOTAL, INNER, STATE, SETTER = [4], [10, 9], [15, 17], [16], [21], [25]
ON_IMPORT = [1, 3, 6, 13, 14, 19, 20, 23, 24]
FILES = {
    "orders/main.py": MAIN,
    "orders/jobs.py": "def nightly():\n    return 1\n",
    "orders/idle.py": "i = 1\n",
    ".gitignore": "coverage-data/\n.coverage\n",
}


class Runs(Run):
    """A repository whose services run again and again."""

    def __init__(self, root):
        super().__init__(root, FILES)
        git(root, "init", "-q")
        commit(root)
        self.time = 1_700_000_000.0
        self.own = ("main.py", "jobs.py", "idle.py")

    def record(self, save="", service="orders", also=(), **lines):
        """One run of a service, and of services `also` that send nothing, with the lines of its files."""
        self.forget()
        self.time += 60
        self.services.clear()
        for name in (service, *also):
            self.service(name, {f"/app/{file}": self.source(f"orders/{file}") for file in self.own})
        ran = {f"/app/{file}.py": (self.source(f"orders/{file}.py"), found) for file, found in lines.items()}
        self.lines(service, ran or {"/app/other.py": (b"", [1])}, started=self.time)
        combine(self.project)
        if save:
            save_run(self.project, save, force=False)

    def candidates(self, most=10, services=()):
        results = read_results(self.project).narrowed(services, "*")
        return find_candidates(self.project, results, services, most)

    def files(self, **how):
        return dict(self.candidates(**how).files)

    def functions(self, **how):
        return {(found.function.name, found.function.start): found.runs for found in self.candidates(**how).functions}


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


def test_without_saved_runs_it_is_what_did_not_run(runs):
    runs.record(main=ON_IMPORT + USED)
    assert runs.files() == {"orders/idle.py": 1, "orders/jobs.py": 1}
    assert {name for name, _ in runs.functions()} == {
        "nightly", "rare", "Order.total", "Order.total.inner", "Order.state"
    }  # fmt: skip
    assert runs.candidates().runs == ()


def test_what_a_saved_run_imported_or_executed_is_no_candidate(runs):
    runs.record("first", main=ON_IMPORT + RARE[:1], jobs=[1])
    runs.record("second", main=ON_IMPORT + SETTER)
    runs.record(main=ON_IMPORT + USED)
    assert runs.candidates().runs == ("second", "first")
    assert runs.files() == {"orders/idle.py": 3}
    assert runs.functions() == {
        ("nightly", 1): 3, ("Order.total", 14): 3, ("Order.total.inner", 15): 3, ("Order.state", 20): 3
    }  # fmt: skip
    assert runs.files(most=0) == {"orders/idle.py": 1, "orders/jobs.py": 1}
    assert ("rare", 6) in runs.functions(most=0)


def test_a_function_inside_another_has_its_own_lines(runs):
    runs.record("first", main=ON_IMPORT + TOTAL)
    runs.record(main=ON_IMPORT)
    assert ("Order.total", 14) not in runs.functions()
    assert runs.functions()["Order.total.inner", 15] == 2


def test_only_the_last_runs_count_by_their_time(runs):
    runs.record("z", jobs=[1, 2])
    runs.record("a", main=ON_IMPORT)
    runs.record("m", main=ON_IMPORT)
    runs.record(main=ON_IMPORT)
    assert runs.candidates(most=2).runs == ("m", "a")
    assert runs.files(most=2)["orders/jobs.py"] == 3
    assert runs.candidates(most=3).runs == ("m", "a", "z")
    assert "orders/jobs.py" not in runs.files(most=3)


def test_the_present_run_and_another_name_of_a_run_are_no_further_evidence(runs):
    runs.record("first", main=ON_IMPORT)
    shutil.copytree(runs.project.runs / "first", runs.project.runs / "again")
    runs.record("present", main=ON_IMPORT)
    assert len(runs.candidates().runs) == 1
    assert runs.files()["orders/idle.py"] == 2


def test_a_run_without_the_file_or_with_a_silent_service_is_not_counted(runs):
    runs.own = ("main.py",)
    runs.record("without", main=ON_IMPORT)
    runs.own = ("main.py", "jobs.py", "idle.py")
    runs.record("silent", also=["billing"], main=ON_IMPORT)
    runs.record("alone", main=ON_IMPORT)
    runs.record(main=ON_IMPORT)
    assert runs.files() == {"orders/idle.py": 3, "orders/jobs.py": 3}
    assert runs.functions()["nightly", 1] == 3
    assert runs.functions()["rare", 6] == 4
    runs.record(service="billing", also=["orders"], main=ON_IMPORT)
    assert runs.files() == {"orders/idle.py": 1, "orders/jobs.py": 1}  # billing told of them in no other run


def test_moved_function_counts_by_its_name(runs):
    runs.record("first", main=ON_IMPORT + USED + STATE)
    (runs.project.root / "orders/main.py").write_text(SHIFTED)
    runs.record(main=[line + 3 for line in ON_IMPORT])
    assert ("used", 6) not in runs.functions()
    # The lines of `used` are now those of the import and its neighbours, and what is at `state` was never there.
    assert runs.functions() == {
        ("nightly", 1): 2, ("rare", 9): 2, ("Order.total", 17): 2, ("Order.total.inner", 18): 2
    }  # fmt: skip


def test_old_source_knows_no_new_function(runs):
    runs.record("first", main=ON_IMPORT)
    (runs.project.root / "orders/main.py").write_text(MAIN + "\ndef added():\n    return 5\n")
    runs.record(main=[*ON_IMPORT, 27])
    assert runs.functions()["added", 27] == 1
    assert runs.functions()["used", 3] == 2


def test_an_old_source_that_nobody_has_says_nothing_of_functions(runs):
    (runs.project.root / "orders/main.py").write_text(SHIFTED)
    runs.record("first", main=[line + 3 for line in ON_IMPORT + USED])
    (runs.project.root / "orders/main.py").write_text(MAIN)
    runs.record(main=ON_IMPORT)
    assert runs.functions()["used", 3] == 1
    assert runs.functions()["nightly", 1] == 2


def test_an_old_source_that_cannot_be_parsed_says_nothing_of_functions(runs):
    (runs.project.root / "orders/jobs.py").write_text("def nightly(:\n    return 1\n")
    commit(runs.project.root)
    runs.record("first", main=ON_IMPORT)
    (runs.project.root / "orders/jobs.py").write_text(FILES["orders/jobs.py"])
    runs.record(main=ON_IMPORT)
    assert runs.functions()["nightly", 1] == 1


def test_a_file_that_a_run_knows_in_part_is_counted_for_what_it_knows(runs):
    (runs.project.root / "orders/main.py").write_text(MAIN + "\ndef added():\n    return 5\n")
    runs.forget()
    runs.service("orders", {"/app/main.py": MAIN.encode()})
    runs.lines("orders", {"/app/main.py": (MAIN.encode(), ON_IMPORT)}, started=1.0)
    combine(runs.project)
    assert list(read_results(runs.project).combined.services["orders"].carried) == ["orders/main.py"]
    save_run(runs.project, "drifted", force=False)
    runs.record(main=ON_IMPORT)
    assert runs.functions()["used", 3] == 2
    assert runs.functions()["added", 27] == 1


def test_one_service_is_asked_for_what_it_ran_itself(runs):
    runs.record("first", service="billing", jobs=[1, 2])
    runs.record(main=ON_IMPORT)
    assert runs.files() == {"orders/idle.py": 1}
    assert runs.files(services=["orders"]) == {"orders/idle.py": 1, "orders/jobs.py": 1}
    assert ("nightly", 1) not in runs.functions()
    assert runs.functions(services=["orders"])["nightly", 1] == 1


def test_runs_that_recorded_branches_are_read_too(runs):
    runs.forget()
    runs.service(
        "orders", {"/app/main.py": runs.source("orders/main.py"), "/app/jobs.py": runs.source("orders/jobs.py")}
    )
    # A process that was killed in the first line of a function: no arc leads from there.
    runs.arcs("orders", {"/app/main.py": (MAIN.encode(), [(-1, 1), (1, 3), (-3, 4), (-6, 9), (9, -6)])}, started=1.0)
    combine(runs.project)
    save_run(runs.project, "branches", force=False)
    runs.record(main=ON_IMPORT)
    assert runs.functions().keys() & {("used", 3), ("rare", 6)} == set()
    assert runs.functions()["Order.total", 14] == 2


@pytest.mark.parametrize("damage", [COMBINED, DATA])
def test_a_damaged_run_is_named_and_the_next_one_taken(runs, damage):
    runs.record("whole", jobs=[1])
    runs.record("damaged", main=ON_IMPORT)
    file = runs.project.runs / "damaged" / damage
    file.write_bytes(b"{" + file.read_bytes()[1:].replace(b"{", b"[").replace(b"CREATE TABLE", b"CREATE NABLE"))
    runs.record(main=ON_IMPORT)
    found = runs.candidates(most=1)
    assert found.runs == ("whole",)
    assert found.notes[0].startswith("the saved run damaged is left out, it cannot be read (")
    assert list(found.files) == ["orders/idle.py"]


def test_nothing_is_written_to_a_saved_run(runs):
    runs.record("first", main=ON_IMPORT)
    directory = runs.project.runs / "first"
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    runs.record(main=ON_IMPORT)
    runs.candidates()
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def analysed(run, /, **form):
    form = {"json": False, "markdown": False, "service": [], "path": "*", "runs": 10} | form
    found = [form[name] for name in ("service", "path", "runs")]
    with redirect_stdout(io.StringIO()) as out:
        show(of_results(run.project, read_results(run.project), *found), Namespace(**form))
    return out.getvalue()


def test_titles_say_of_how_many_runs_they_speak(runs):
    runs.record("first", main=ON_IMPORT, jobs=[1])
    runs.record(main=ON_IMPORT + USED)
    text = analysed(runs)
    table = text[text.index("imported by no service, in this run and 1 saved one\n") :].split("\n\n")[0]
    assert [line.split(maxsplit=1) for line in table.splitlines()[1:]] == [
        ["file", "known in"],
        ["orders/idle.py", "2 of 2 runs"],
    ]
    assert "functions that no service executed, in this run and 1 saved one\n" in text
    assert "## imported by no service, in this run and 1 saved one" in analysed(runs, markdown=True)
    alone = analysed(runs, runs=0)
    assert "imported by no service\n" in alone
    assert "known in" not in alone


def test_json_has_the_present_run_and_all_of_them(runs):
    runs.record("first", main=ON_IMPORT + RARE, jobs=[1])
    runs.record(main=ON_IMPORT + USED)
    found = json.loads(analysed(runs, json=True, path="orders/[!m]*"))
    assert found["never_imported"] == ["orders/idle.py", "orders/jobs.py"]
    assert found["dead_code"] == {
        "runs": ["first"],
        "files": [{"file": "orders/idle.py", "runs": 2}],
        "functions": [{"file": "orders/jobs.py", "function": "nightly", "line": 1, "statements": [2], "runs": 2}],
        "notes": [],
    }


@pytest.mark.parametrize("word", ["-1", "two", "1.5", ""])
def test_a_number_of_runs_that_is_none_is_wrong_usage(tmp_path, word):
    answer = subprocess.run(
        [sys.executable, "-m", "coverage_tasks", "analyze-coverage", "--runs", word],
        env={**os.environ, "PYTHONPATH": str(TOOL / "scripts")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 2
    assert "--runs" in answer.stderr
