"""Progress: a line on a terminal that leaves nothing behind, plain lines elsewhere, nothing where it is not wanted."""

import logging
import os
import re
import sys
import threading
from contextlib import suppress

import pytest
from journal_files import recorded
from machine import eventually
from terminal import Terminal

from coverage_tasks import progress
from coverage_tasks.combined import combine
from coverage_tasks.progress import PREFIX, Stage, advance, say
from coverage_tasks.reports import formats
from coverage_tasks.results.results import results_of


class Clock:
    """Time that passes only when somebody sleeps; stages are looked at as often as their threads would do it."""

    def __init__(self):
        self.now, self.asked = 0.0, 0

    def __call__(self):
        self.asked += 1
        return self.now

    def sleep(self, seconds):
        for _ in range(round(seconds / progress.TICK)):
            self.now += progress.TICK
            for stage in progress._open:
                stage._look()


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(progress, "_clock", found)
    monkeypatch.setattr(Stage, "_watch", lambda _: None)
    return found


@pytest.mark.usefixtures("clock")
def test_every_report_says_how_far_it_is(tmp_path, monkeypatch):
    run, said = recorded(tmp_path, 9), []
    monkeypatch.setattr(progress, "FIRST_LINE", -1.0)  # so that each has lasted long enough to be told of
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.chdir(run.project.root)
    results = results_of(run.project, combine.combine(run.project))
    for report in (formats.JSON, formats.XML, formats.LCOV, formats.HTML):
        report.write(results, None)
    assert [re.sub(r", done after 0 s$", "", line) for line in said] == [
        "reading what was recorded: 1 of 1 journal",
        "finding the sources of each service: 1 of 1 service",
        "writing the combined data: done after 0 s",
        "analysing the sources: 9 of 9 files",
        "writing coverage.json: 9 of 9 files",
        "writing coverage.xml: 18 of 18 files",
        "writing lcov.info: 18 of 18 files",
        "writing htmlcov: 9 of 9 files",
        "writing the portal: 10 pages",
    ]


@pytest.fixture
def told(caplog):
    """What was said, in its order."""
    caplog.set_level(logging.INFO, "coverage-spy")
    return caplog


def test_the_innermost_stage_is_told_of(told, clock):
    with Stage("outside"):
        with Stage("inside", of=3):
            advance()
            clock.sleep(6)
        clock.sleep(1)
    assert told.messages == [
        "inside: 1 of 3 files, 5 s",
        "inside: 1 of 3 files, done after 6 s",
        "outside: 6 s",
        "outside: done after 7 s",
    ]


def test_lines_become_rarer(told, clock):
    with Stage("long"):
        clock.sleep(100)
    assert told.messages == [*(f"long: {5 * 2**n} s" for n in range(5)), "long: done after 100 s"]


def test_what_does_not_take_long_is_not_told_of(told, clock):
    with Stage("short"):
        clock.sleep(4.8)
    assert told.messages == []


def test_a_terminal_is_drawn_to_once_in_a_tick_and_not_at_first(monkeypatch, clock):
    terminal = Terminal()
    with os.fdopen(terminal.theirs, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("TERM", "xterm")
        with Stage("long"):
            clock.sleep(2)
    drawn = [f"\r{PREFIX}long: {second} s\x1b[K" for second in (1, 1, 1, 1, 1, 2, 2, 2)]  # of 0.6 s to 2 s
    assert terminal.read() == "".join(drawn) + "\r\x1b[K"
    os.close(terminal.ours)


def test_what_failed_is_not_said_to_be_done(told, clock):
    with suppress(ValueError), Stage("long"):
        clock.sleep(6)
        raise ValueError
    assert told.messages == ["long: 5 s"]


def test_hostile_names_do_not_reach_the_terminal(told, clock):
    with Stage("reading \x1b]0;title\x07 \u202e \n漢字"):
        clock.sleep(6)
    assert told.messages[0] == "reading ?]0;title? ? ???: 5 s"


def test_counting_costs_nothing_that_matters(clock):
    calls = []
    with Stage("counting", of=1000):
        before = clock.asked
        sys.setprofile(lambda frame, event, _: calls.append((event, frame.f_code.co_name)))
        try:
            for _ in range(1000):
                advance()
        finally:
            sys.setprofile(None)
        assert clock.asked == before
    assert [event for event, name in calls if name == "advance"] == ["call", "return"] * 1000
    assert len(calls) < 2010, "advance() calls something"


def test_nothing_is_left_running():
    before = threading.active_count()
    for _ in range(20):
        with Stage("short"):
            say("in between")
    assert eventually(lambda: threading.active_count() <= before)
