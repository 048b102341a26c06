"""The soak can fail: each kind of loss and growth is found in what a run has left."""

import time
from dataclasses import replace
from signal import SIGKILL
from types import SimpleNamespace

import pytest
from application import lines_of, lines_of_hooks
from findings import MEMORY, findings
from server import MOMENTS, PROCESSES, Reading, Server
from traffic import Traffic

from coverage_spy.receipt import describe
from coverage_spy.settings import Settings
from coverage_tasks.recorded.journals import read_journals, words

MASTER, WORKER, BEGIN = 100, 101, time.time() - 1000
URL = "/0/1/1"
LINE = ("part0.py", 26)  # one that this URL runs


@pytest.fixture
def twin(tmp_path):
    """What happened to a server that was not measured."""
    return served(tmp_path / "twin")


@pytest.fixture
def traffic(tmp_path):
    """What happened to a server that was measured: its worker has answered once, and was replaced."""
    return served(tmp_path / "measured")


def served(directory):
    server = Server("3.12", "sync", True, directory, 0)
    for place in (server.work, server.data):
        place.mkdir(parents=True)
    (directory / "log").write_text("")
    told = [f"fork 1 0 {BEGIN + 1}", f"born 1 {WORKER} {BEGIN + 3}", f"exit 1 {WORKER} {BEGIN + 90}"]
    (server.work / "events").write_text("\n".join(told))
    server.master, server.first, server.code = SimpleNamespace(pid=MASTER), WORKER, 0
    for process in PROCESSES:
        server.readings[process] = {moment: Reading(10, 20_000) for moment in MOMENTS}
    traffic = Traffic(server, "", 1, 1, None, None)
    traffic.answers[WORKER, BEGIN + 3] = {URL: BEGIN + 50}
    return traffic


def record(traffic, process, lines, pid=WORKER, engine="monitor"):
    """Write journals as a process does that runs these lines."""
    receipt = describe(Settings({"COVERAGE_FILE": f"{traffic.server.data}/.coverage.soak"}), engine)
    journal = words.Journal(receipt | {"process": process, "pid": pid, "started": BEGIN + pid - MASTER})
    for name, line in lines:
        journal.line(f"{traffic.server.work}/{name}", line)


def found(traffic, twin, worker=None, **more):
    """The sentences about a run in which the worker has recorded `worker`; None: what it ran."""
    record(traffic, "master", lines_of_hooks(), MASTER)
    record(traffic, "worker", lines_of(URL) if worker is None else worker, **more)
    return " ".join(findings(traffic, twin).failures)


def test_passes_when_nothing_is_lost_and_nothing_grows(traffic, twin):
    assert found(traffic, twin) == ""


def test_a_line_that_is_missing(traffic, twin):
    failures = found(traffic, twin, lines_of(URL) - {LINE})
    assert f"lines that ran are missing: [{LINE}]" in failures
    assert f"processes have lost lines (pid, file, line): [{(WORKER, *LINE)}]" in failures


def test_a_line_that_did_not_run(traffic, twin):
    assert "lines are recorded that did not run: [('part0.py', 1234)]" in found(
        traffic, twin, lines_of(URL) | {("part0.py", 1234)}
    )


def test_a_line_that_another_process_ran(traffic, twin):
    traffic.answers[102, BEGIN + 5] = {"/1/0/0": BEGIN + 60}
    record(traffic, "another", lines_of("/1/0/0"), 102)
    failures = found(traffic, twin, lines_of(URL) | {("part1.py", 2)})
    assert f"processes have lines that others ran (pid, file, line): [{(WORKER, 'part1.py', 2)}]" in failures
    assert "3 receipts of 2 processes" in failures


@pytest.mark.parametrize(("engine", "late", "lost"), [("tracer", 0.05, 0), ("tracer", 5, 1), ("monitor", 0.05, 1)])
def test_only_the_tracer_may_miss_what_ran_just_before_a_sigkill(traffic, twin, engine, late, lost):
    traffic.killed = [(WORKER, SIGKILL, BEGIN + 50 + late)]
    failures = found(traffic, twin, lines_of(URL) - {LINE}, engine=engine)
    assert ("processes have lost lines" in failures) == lost


def test_what_a_lost_request_has_run(traffic, twin):
    traffic.lost = [("/1/0/0", BEGIN + 89, BEGIN + 91)]
    assert found(traffic, twin, lines_of(URL) | lines_of("/1/0/0")) == ""


def test_a_process_without_a_receipt(traffic, twin):
    with (traffic.server.work / "events").open("a") as file:
        file.write(f"\nfork 2 0 {BEGIN + 5}\nborn 2 102 {BEGIN + 5}")
    assert "1 processes have run and left no receipt: [102]" in found(traffic, twin)


def test_a_damaged_journal(traffic, twin):
    record(traffic, "worker", lines_of(URL))
    (journal, *_), _ = read_journals(traffic.server.data)
    journal.path.write_bytes(journal.path.read_bytes()[:40])
    assert "ends inside its header" in found(traffic, twin)


def test_journals_larger_than_the_lines_need(traffic, twin):
    for _ in range(10):
        record(traffic, "worker", lines_of(URL))
    assert "are enough" in found(traffic, twin)


@pytest.mark.parametrize("process", PROCESSES)
def test_a_descriptor_that_stays_open(traffic, twin, process):
    readings = traffic.server.readings[process]
    readings["end"] = replace(readings["end"], descriptors=11)
    failures = found(traffic, twin)
    assert f"the {process} has +1 descriptors since it was warm" in failures
    assert f"the {process} has +1 descriptors for its twin's" in failures


@pytest.mark.parametrize(("grown", "usual", "fails"), [(MEMORY + 1, 0, 1), (MEMORY + 1, 8, 0), (MEMORY, -9, 0)])
def test_memory_that_grows(traffic, twin, grown, usual, fails):
    for one, more in ((traffic, grown), (twin, usual)):
        readings = one.server.readings["master"]
        readings["end"] = replace(readings["end"], memory=20_000 + more)
    assert (f"the master grew by {grown} KiB, its twin by {usual}" in found(traffic, twin)) == fails


def test_a_process_that_should_live_and_does_not(traffic, twin):
    del traffic.server.readings["first worker"]["end"]
    assert "the first worker, or its twin, did not live" in found(traffic, twin)


@pytest.mark.parametrize("what", ["wrong", "hung"])
def test_answers_that_are_wrong_or_late(traffic, twin, what):
    traffic.counts[what] = 1
    assert found(traffic, twin).startswith("1 ")


def test_a_spy_that_does_nothing(traffic, twin):
    failures = " ".join(findings(traffic, twin).failures)
    assert "1 workers have answered and left no receipt" in failures
    assert "lines that ran are missing" in failures
