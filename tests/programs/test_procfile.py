"""Processes of a Procfile: how they are started, watched and stopped."""

import os
import signal
from pathlib import Path

import pytest
from machine import PATIENCE, eventually

from coverage_tasks.project import Project
from coverage_tasks.runtimes import procfile
from coverage_tasks.runtimes.procfile import Started, end, exit_code, is_alive, read_processes, run


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, "procfile", (tmp_path / "Procfile",))


@pytest.fixture
def begin(project):
    """Starts a shell line and returns it with its log, which holds what it printed so far."""
    everything = []

    def begun(line: str) -> tuple[Started, Path]:
        project.files[0].write_text(f"it: {line}\n")
        (process,) = read_processes(project, os.environ)
        log = project.state / "logs" / "it.log"
        everything.append(run(process, process.environment, project.root, log))
        return everything[-1], log

    yield begun
    for started in everything:
        end([started])


def wait_for(condition):
    found = eventually(condition)
    assert found, f"nothing happened for {PATIENCE} s"
    return found


def test_output_goes_to_the_log(begin, project):
    started, log = begin("echo out; echo err >&2; pwd")
    assert wait_for(lambda: exit_code(started) is not None) is True
    assert log.read_text().splitlines() == ["out", "err", str(project.root)]


@pytest.mark.parametrize(("line", "code"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", -9)])
def test_exit_code_is_known_to_the_parent_once(begin, line, code):
    started, _ = begin(line)
    wait_for(lambda: not is_alive(started))
    assert exit_code(started) == code
    assert exit_code(started) == -1


def test_one_that_ends_takes_nothing_else_along(begin):
    stays, _ = begin("exec sleep 600")
    goes, _ = begin("exec sleep 600")
    os.kill(goes.pid, signal.SIGKILL)
    wait_for(lambda: exit_code(goes) is not None)
    assert exit_code(stays) is None


def test_stop_lets_a_process_say_goodbye(begin, monkeypatch):
    monkeypatch.setattr(procfile, "GRACE_SECONDS", PATIENCE)
    started, log = begin("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    wait_for(lambda: log.read_text() == "up\n")
    end([started])
    assert log.read_text() == "up\nbye\n"


def test_stop_asks_only_the_leader_first(begin, monkeypatch):
    monkeypatch.setattr(procfile, "GRACE_SECONDS", PATIENCE)
    # A prefork server tells its workers itself; a signal from elsewhere is an accident to it.
    worker = "(trap 'echo hurt' TERM; echo up; sleep 0.5 & wait $!)"
    started, log = begin(f"trap : TERM; {worker} & wait $!; wait $!")
    wait_for(lambda: "up" in log.read_text())
    end([started])
    assert log.read_text() == "up\n"


def test_stop_ends_the_children_of_a_killed_leader(begin):
    started, log = begin("sleep 600 & echo $!; wait")
    pid = int(wait_for(lambda: log.read_text().strip()))
    child = Started(pid, procfile._born(pid))
    os.kill(started.pid, signal.SIGKILL)
    wait_for(lambda: exit_code(started) is not None)
    assert is_alive(child)
    end([started])
    wait_for(lambda: not is_alive(child))


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def test_stop_kills_what_does_not_listen_when_its_grace_is_over(begin, monkeypatch):
    started, log = begin("trap '' TERM; echo up; while :; do sleep 0.05; done")
    wait_for(lambda: log.read_text() == "up\n")
    clock, sent, send = Clock(), [], procfile._signal
    monkeypatch.setattr(procfile, "time", clock)
    monkeypatch.setattr(procfile, "_signal", lambda *what: (sent.append((what[-1], clock.now)), send(*what)))
    end([started])
    (first, at_first), (last, in_the_end) = sent
    assert (first, at_first, last) == (signal.SIGTERM, 0, signal.SIGKILL)
    assert 10 <= in_the_end < 10 + 2 * procfile.POLL_SECONDS
    wait_for(lambda: not is_alive(started))


def test_stop_leaves_a_stranger_with_the_same_number_alone(begin):
    stranger, _ = begin("exec sleep 600")
    end([Started(stranger.pid, "long ago")])
    assert exit_code(stranger) is None
