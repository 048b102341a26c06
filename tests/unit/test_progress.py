"""Progress: a line on a terminal that leaves nothing behind, plain lines elsewhere, nothing where it is not wanted."""

import fcntl
import json
import logging
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from unit.journal_files import Run

from coverage_tasks import combine, progress, reports
from coverage_tasks.progress import Stage, advance
from coverage_tasks.project import PREFIX, TOOL, say

# Begins as a shell's child does: the terminal is its own, so that ^C reaches it.
OWN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
LINE = re.compile(r"\r(coverage-spy: [^\r\n]*)\x1b\[K")


class Terminal:
    """A pseudo-terminal with a task on it, and all that it was sent."""

    def __init__(self, columns=80):
        self.ours, self.theirs = os.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.sent = ""

    def read(self, until=None, seconds=30):
        """Everything until a text was sent, or until nobody is left who could send anything."""
        deadline = time.monotonic() + seconds
        while until is None or until not in self.sent:
            assert select.select([self.ours], [], [], max(deadline - time.monotonic(), 0))[0], self.sent
            try:
                data = os.read(self.ours, 4096)
            except OSError:
                break
            self.sent += data.decode()
        return self.sent

    @property
    def shown(self):
        """What stands on the screen, line by line."""
        lines, column = [""], 0
        for part in re.findall(r"\r|\n|\x1b\[K|\x1b|[^\r\n\x1b]+", self.sent):
            if part == "\n":
                lines.append("")
            elif part == "\r":
                column = 0
            elif part == "\x1b[K":
                lines[-1] = lines[-1][:column]
            else:
                assert part != "\x1b", self.sent
                lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + len(part) :]
                column += len(part)
        return [line.rstrip() for line in lines if line.strip()]


@contextmanager
def on_terminal(cwd, *arguments, program=("-m", "coverage_tasks"), columns=80, stdout=None, **environ):
    terminal = Terminal(columns)
    command = [sys.executable, *program, *arguments]
    process = subprocess.Popen(
        [sys.executable, "-c", OWN_TERMINAL, *command],
        cwd=cwd,
        env={**os.environ, "TERM": "xterm", **surroundings(), **environ},
        stdin=terminal.theirs,
        stdout=stdout or terminal.theirs,
        stderr=terminal.theirs,
        start_new_session=True,
    )
    os.close(terminal.theirs)
    try:
        yield terminal, process
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        os.close(terminal.ours)


def surroundings():
    return {"PYTHONPATH": str(TOOL / "scripts"), "COVERAGE_SPY_RUNTIME": "procfile"}


def off_terminal(cwd, *arguments, **environ):
    return subprocess.run(
        [sys.executable, "-m", "coverage_tasks", *arguments],
        cwd=cwd,
        env={**os.environ, **surroundings(), **environ},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def slow(tmp_path):
    """A service that listens so many seconds after its start."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    (tmp_path / "web.py").write_text(
        "import http.server, sys, time\ntime.sleep(float(sys.argv[1]))\n"
        "if sys.argv[4:]:\n    sys.exit(*sys.argv[4:])\n"
        "http.server.HTTPServer(('localhost', int(sys.argv[3])), None).serve_forever()\n"
    )

    def service(seconds, last_words=""):
        (tmp_path / "Procfile").write_text(f"web: exec {sys.executable} web.py {seconds} --port {port} {last_words}\n")
        return tmp_path

    yield service
    off_terminal(tmp_path, "down-coverage")


SAID = [f"{PREFIX}starting 1 service", f"{PREFIX}the services are ready"]


def test_a_terminal_shows_one_line_that_is_rewritten_and_goes_away(slow):
    with on_terminal(slow(2), "up-coverage", NO_COLOR="1") as (terminal, process):
        begin = time.monotonic()
        terminal.read()
    assert process.returncode == 0
    drawn = LINE.findall(terminal.sent)
    waiting = rf"{PREFIX}waiting for the services: web does not listen on port \d+: (\d) s"
    seconds = [int(found[1]) for found in (re.fullmatch(waiting, line) for line in drawn) if found]
    assert seconds == sorted(seconds)
    assert seconds[-1] >= 1
    assert len(drawn) <= (time.monotonic() - begin) / progress.TICK
    assert terminal.shown == SAID
    assert not re.search(r"\x1b\[[\d;]*m", terminal.sent)


def test_a_line_is_never_wider_than_the_terminal_and_keeps_its_seconds(slow):
    with on_terminal(slow(2), "up-coverage", columns=44) as (terminal, _):
        terminal.read()
    drawn = LINE.findall(terminal.sent)
    assert max(len(line) for line in drawn) == 43
    assert all(re.search(r"(\.\.\.|services): \d s$", line) for line in drawn)


def test_interrupted_work_leaves_a_clean_line(slow):
    with on_terminal(slow(600), "up-coverage") as (terminal, process):
        terminal.read("waiting for the services: web does not listen")
        os.write(terminal.ours, b"\x03")
        terminal.read()
    assert process.returncode == 130
    assert terminal.shown == [SAID[0], f"{PREFIX}stopping the services"]


def test_terminated_work_leaves_a_clean_line(slow):
    with on_terminal(slow(600), "up-coverage") as (terminal, process):
        terminal.read("waiting for the services: web does not listen")
        process.send_signal(signal.SIGTERM)
        terminal.read()
    assert process.returncode == 143
    assert terminal.shown == [SAID[0], f"{PREFIX}stopping the services"]


def test_an_error_and_a_log_stand_on_lines_of_their_own(slow):
    with on_terminal(slow(2, "'no database'"), "up-coverage") as (terminal, process):
        terminal.read()
    assert process.returncode == 1
    assert "waiting for the services" in terminal.sent
    assert terminal.shown == [
        SAID[0],
        "--- the last lines of web ---",
        "no database",
        "---",
        f"{PREFIX}the service web has died (exit code 1): its last lines are above; correct it",
    ]


TALKATIVE = """
import logging, time
from coverage_tasks import progress, project
logging.basicConfig(level="INFO", format="coverage-spy: %(message)s", handlers=[progress.Handler()])
with progress.Stage("long"):
    for number in range(3):
        time.sleep(0.8)
        project.say(f"{number} in between")
"""


def test_what_is_said_in_between_stands_on_lines_of_its_own(tmp_path):
    with on_terminal(tmp_path, program=("-c", TALKATIVE)) as (terminal, _):
        terminal.read()
    assert f"{PREFIX}long: 2 s" in terminal.sent
    assert terminal.shown == [f"{PREFIX}{number} in between" for number in range(3)]


def test_a_terminal_that_can_do_nothing_gets_no_control_characters(slow):
    with on_terminal(slow(1), "up-coverage", TERM="dumb") as (terminal, _):
        terminal.read()
    assert terminal.sent.splitlines() == SAID


def test_quiet_is_quiet_on_a_terminal_and_off_it(slow):
    with on_terminal(slow(1), "up-coverage", "-q") as (terminal, process):
        terminal.read()
    assert (process.returncode, terminal.sent) == (0, "")
    answer = off_terminal(slow(1), "down-coverage", "-q")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_off_a_terminal_few_plain_lines_say_what_takes_long(slow):
    answer = off_terminal(slow(6), "up-coverage")
    assert answer.returncode == 0
    begun, first, end, ready = answer.stderr.splitlines()
    assert [begun, ready] == SAID
    assert re.fullmatch(rf"{PREFIX}waiting for the services: web does not listen on port \d+: 5 s", first)
    assert re.fullmatch(rf"{PREFIX}waiting for the services: done after [678] s", end)
    assert answer.stderr.replace("\n", "").isprintable()


def recorded(root, count):
    """A run of so many sources."""
    names = [f"libs/m{number}.py" for number in range(count)]
    text = "".join(f"def f{number}(a):\n    if a:\n        return {number}\n    return a\n" for number in range(20))
    run = Run(root, dict.fromkeys(names, text) | {"Procfile": "web: true\n"}, "procfile")
    run.service("web")
    run.lines("web", {str(root / name): (run.source(name), range(1, 80)) for name in names})
    return run


def test_json_stays_pure_while_the_terminal_sees_the_files_go_by(tmp_path):
    root = recorded(tmp_path / "shop", 600).project.root
    with (tmp_path / "analysis.json").open("w+") as answer:
        with on_terminal(root, "analyze-coverage", "--json", stdout=answer) as (terminal, process):
            terminal.read()
        answer.seek(0)
        assert json.load(answer)["totals"]["files"] == 600
    assert process.returncode == 0
    done = [int(found) for found in re.findall(r"analysing the sources: (\d+) of 600 files, \d+ s", terminal.sent)]
    assert done == sorted(done)
    assert done[0] < done[-1]
    assert terminal.shown == []


def test_every_report_says_how_far_it_is(tmp_path, monkeypatch):
    run, said = recorded(tmp_path, 9), []
    monkeypatch.setattr(progress, "FIRST_LINE", -1.0)  # so that each has lasted long enough to be told of
    monkeypatch.setattr(progress, "say", said.append)
    monkeypatch.chdir(run.project.root)
    combine.combine(run.project)
    for report in (reports.json, reports.xml, reports.lcov, reports.html):
        report(run.project)
    assert [re.sub(r", done after \d+ s$", "", line) for line in said] == [
        "reading what was recorded: 1 of 1 journal",
        "finding the sources of each service: 1 of 1 service",
        "writing .coverage: done after 0 s",
        "analysing the sources: 9 of 9 files",
        "writing coverage.json: 9 of 9 files",
        "writing coverage.xml: 18 of 18 files",
        "writing lcov.info: 18 of 18 files",
        "writing htmlcov: 9 of 9 files",
        "writing the portal: 10 pages",
    ]


@pytest.fixture
def told(monkeypatch, caplog):
    caplog.set_level(logging.INFO, "coverage-spy")
    monkeypatch.setattr(progress, "TICK", 0.01)
    monkeypatch.setattr(progress, "FIRST_LINE", 0.05)
    return caplog


def test_the_innermost_stage_is_told_of(told):
    with Stage("outside"):
        with Stage("inside", of=3):
            advance()
            time.sleep(0.08)
        time.sleep(0.08)
    begun = [record.getMessage() for record in told.records if "done" not in record.getMessage()]
    assert begun[0] == "inside: 1 of 3 files, 0 s"
    assert begun[-1] == "outside: 0 s"


def test_lines_become_rarer(told):
    with Stage("long"):
        time.sleep(1)
    assert 3 <= len(told.records) <= 6  # after 0.05, 0.1, 0.2, 0.4 and 0.8 s, and at the end


def test_what_failed_is_not_said_to_be_done(told):
    with suppress(ValueError), Stage("long"):
        time.sleep(0.1)
        raise ValueError
    assert [record.getMessage() for record in told.records] == ["long: 0 s"]


def test_hostile_names_do_not_reach_the_terminal(told):
    with Stage("reading \x1b]0;title\x07 \u202e \n漢字"):
        time.sleep(0.1)
    assert told.records[0].getMessage() == "reading ?]0;title? ? ???: 0 s"


def test_counting_costs_nothing_that_matters():
    begin = time.process_time()
    with Stage("counting", of=1_000_000):
        for _ in range(1_000_000):
            advance()
    assert time.process_time() - begin < 2


def test_nothing_is_left_running(told):
    before = threading.active_count()
    for _ in range(20):
        with Stage("short"):
            say("in between")
    deadline = time.monotonic() + 5
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
