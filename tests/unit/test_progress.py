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
from contextlib import contextmanager, suppress

import pytest
from machine import PATIENCE, eventually
from unit.journal_files import Run

from coverage_tasks import progress
from coverage_tasks.combined import combine
from coverage_tasks.progress import PREFIX, Stage, advance, say
from coverage_tasks.project import TOOL
from coverage_tasks.reports import formats
from coverage_tasks.results.results import results_of

# Begins as a shell's child does: the terminal is its own, so that ^C reaches it, and not ignored as below nohup.
OWN_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
LINE = re.compile(r"\r(coverage-spy: [^\r\n]*)\x1b\[K")


class Terminal:
    """A pseudo-terminal with a task on it, and all that it was sent."""

    def __init__(self, columns=80):
        self.ours, self.theirs = os.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.sent = ""

    def read(self, until=None):
        """Everything until something was sent that a pattern finds, or until nobody is left who could send anything."""
        while until is None or not re.search(until, self.sent):
            assert select.select([self.ours], [], [], PATIENCE)[0], self.sent
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
        process.wait(PATIENCE)
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


class Slow:
    """A service that listens, or ends with its last words, when `release` is called: as slow as the test is."""

    def __init__(self, root):
        self.root = root
        with socket.socket() as free:
            free.bind(("localhost", 0))
            self.port = free.getsockname()[1]
        (root / "web.py").write_text(
            "import http.server, os, sys, time\nwhile not os.path.exists('released'):\n    time.sleep(0.02)\n"
            "if sys.argv[3:]:\n    sys.exit(*sys.argv[3:])\n"
            "http.server.HTTPServer(('localhost', int(sys.argv[2])), None).serve_forever()\n"
        )
        self.last_words("")

    def last_words(self, words):
        (self.root / "Procfile").write_text(f"web: exec {sys.executable} web.py --port {self.port} {words}\n")

    def release(self):
        (self.root / "released").touch()


@pytest.fixture
def slow(tmp_path, payload):  # the tracer is not to be fetched meanwhile, which is told of
    yield Slow(tmp_path)
    off_terminal(tmp_path, "down-coverage")


SAID = [f"{PREFIX}starting 1 service", f"{PREFIX}the services are ready"]
WAITING = rf"{PREFIX}waiting for the services: web does not listen on port \d+: (\d+) s"


def test_a_terminal_shows_one_line_that_is_rewritten_and_goes_away(slow):
    with on_terminal(slow.root, "up-coverage", NO_COLOR="1") as (terminal, process):
        terminal.read(WAITING.replace(r"\d+) s", r"[1-9]\d*) s"))
        slow.release()
        terminal.read()
    assert process.returncode == 0
    drawn = LINE.findall(terminal.sent)
    seconds = [int(found[1]) for found in (re.fullmatch(WAITING, line) for line in drawn) if found]
    assert seconds == sorted(seconds)
    assert seconds[-1] >= 1
    assert terminal.shown == SAID
    assert not re.search(r"\x1b\[[\d;]*m", terminal.sent)


def test_a_line_is_never_wider_than_the_terminal_and_keeps_its_seconds(slow):
    with on_terminal(slow.root, "up-coverage", columns=44) as (terminal, _):
        terminal.read(r"waiting [^\r]*\.\.\.: \d+ s")
        slow.release()
        terminal.read()
    drawn = LINE.findall(terminal.sent)
    assert max(len(line) for line in drawn) == 43
    assert all(re.search(r": \d+ s$", line) for line in drawn)


def test_interrupted_work_leaves_a_clean_line(slow):
    with on_terminal(slow.root, "up-coverage") as (terminal, process):
        terminal.read(WAITING)
        os.write(terminal.ours, b"\x03")
        terminal.read()
    assert process.returncode == 130
    assert terminal.shown == [SAID[0], f"{PREFIX}stopping the services"]


def test_terminated_work_leaves_a_clean_line(slow):
    with on_terminal(slow.root, "up-coverage") as (terminal, process):
        terminal.read(WAITING)
        process.send_signal(signal.SIGTERM)
        terminal.read()
    assert process.returncode == 143
    assert terminal.shown == [SAID[0], f"{PREFIX}stopping the services"]


def test_an_error_and_a_log_stand_on_lines_of_their_own(slow):
    slow.last_words("'no database'")
    with on_terminal(slow.root, "up-coverage") as (terminal, process):
        terminal.read(WAITING)
        slow.release()
        terminal.read()
    assert process.returncode == 1
    assert terminal.shown == [
        SAID[0],
        "--- the last lines of web ---",
        "| no database",
        "---",
        f"{PREFIX}the service web has died (exit code 1): its last lines are above; correct it",
    ]


TALKATIVE = """
import logging, time
from coverage_tasks import progress
logging.basicConfig(level="INFO", format="coverage-spy: %(message)s", handlers=[progress.Handler()])
with progress.Stage("long"):
    for number in range(3):
        while not progress._drawn:
            time.sleep(0.02)
        progress.say(f"{number} in between")
"""


def test_what_is_said_in_between_stands_on_lines_of_its_own(tmp_path):
    with on_terminal(tmp_path, program=("-c", TALKATIVE)) as (terminal, _):
        terminal.read()
    assert len(re.findall(rf"\r{PREFIX}long: \d+ s\x1b\[K\r\x1b\[K{PREFIX}\d in between\r\n", terminal.sent)) == 3
    assert terminal.shown == [f"{PREFIX}{number} in between" for number in range(3)]


# Says what takes long already after half a second.
TALKS_EARLY = """
import sys
from coverage_tasks import cli, progress
progress.FIRST_LINE = 0.5
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_terminal_that_can_do_nothing_gets_no_control_characters(slow):
    with on_terminal(slow.root, "up-coverage", program=("-c", TALKS_EARLY), TERM="dumb") as (terminal, _):
        terminal.read(WAITING)
        slow.release()
        terminal.read()
    assert terminal.sent.replace("\r\n", "").isprintable()
    assert [line for line in terminal.sent.splitlines() if "waiting" not in line] == SAID


def test_quiet_is_quiet_on_a_terminal_and_off_it(slow):
    slow.release()
    with on_terminal(slow.root, "up-coverage", "-q") as (terminal, process):
        terminal.read()
    assert (process.returncode, terminal.sent) == (0, "")
    answer = off_terminal(slow.root, "down-coverage", "-q")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_off_a_terminal_few_plain_lines_say_what_takes_long(slow):
    command = [sys.executable, "-c", TALKS_EARLY, "up-coverage"]
    environ = {**os.environ, **surroundings()}
    with subprocess.Popen(command, cwd=slow.root, env=environ, stderr=subprocess.PIPE, text=True) as process:
        said = [process.stderr.readline(), process.stderr.readline()]
        slow.release()
        said += process.stderr
    assert process.returncode == 0
    assert "".join(said).replace("\n", "").isprintable()
    begun, *waiting, end, ready = (line.rstrip("\n") for line in said)
    assert [begun, ready] == SAID
    assert re.fullmatch(rf"{PREFIX}waiting for the services: done after \d+ s", end)
    assert re.fullmatch(WAITING, waiting[0])
    for number, line in enumerate(waiting):
        assert int(re.fullmatch(rf"{PREFIX}waiting for the services.*: (\d+) s", line)[1]) >= round(0.5 * 2**number)


def recorded(root, count):
    """A run of so many sources."""
    names = [f"libs/m{number}.py" for number in range(count)]
    text = "".join(f"def f{number}(a):\n    if a:\n        return {number}\n    return a\n" for number in range(20))
    run = Run(root, dict.fromkeys(names, text) | {"Procfile": "web: true\n"}, "procfile")
    run.service("web")
    run.lines("web", {str(root / name): (run.source(name), range(1, 80)) for name in names})
    return run


# Draws what passes by in a moment, too.
EAGER = """
import sys
from coverage_tasks import cli, progress
progress.PATIENCE, progress.TICK = -1, 0.001
sys.exit(cli.main(sys.argv[1:]))
"""


def test_json_stays_pure_while_the_terminal_sees_the_files_go_by(tmp_path):
    root = recorded(tmp_path / "shop", 600).project.root
    with (tmp_path / "analysis.json").open("w+") as answer:
        eager = ("-c", EAGER)
        with on_terminal(root, "analyze-coverage", "--json", program=eager, stdout=answer) as (terminal, process):
            terminal.read()
        answer.seek(0)
        assert json.load(answer)["totals"]["files"] == 600
    assert process.returncode == 0
    done = [int(found) for found in re.findall(r"analysing the sources: (\d+) of 600 files, \d+ s", terminal.sent)]
    assert done == sorted(done)
    assert done[0] < done[-1]
    assert terminal.shown == []


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
        "writing .coverage: done after 0 s",
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
