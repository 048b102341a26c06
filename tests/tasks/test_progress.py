"""Progress of tasks, on a terminal and off it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest
from journal_files import recorded
from machine import PATIENCE
from template import tasks
from terminal import Terminal

from coverage_tasks.progress import PREFIX
from coverage_tasks.project import TOOL

# Begins as a shell's child does: the terminal is its own, so that ^C reaches it, and not ignored as below nohup.
OWN_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(2, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""

LINE = re.compile(r"\r(coverage-spy: [^\r\n]*)\x1b\[K")


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
    tasks(tmp_path, "down-coverage")


SAID = [f"{PREFIX}starting 1 service", f"{PREFIX}the services are ready"]

WAITING = rf"{PREFIX}waiting for the services: web does not listen on port \d+: (\d+) s"


def test_terminal_shows_one_line_that_goes_away(slow):
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


def test_line_fits_the_terminal(slow):
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
    assert process.returncode == 0
    assert terminal.shown == [
        SAID[0],
        "--- the last lines of web ---",
        "| no database",
        "---",
        f"{PREFIX}the service web has died (exit code 1): its last lines are above",
        f"{PREFIX}1 of 1 service is not ready: web",
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
    answer = tasks(slow.root, "down-coverage", "-q")
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


# Draws what passes by in a moment, too.
EAGER = """
import sys
from coverage_tasks import cli, progress
progress.PATIENCE, progress.TICK = -1, 0.001
sys.exit(cli.main(sys.argv[1:]))
"""


def test_json_stays_pure_beside_progress(tmp_path):
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
