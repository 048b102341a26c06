import os
import signal
import socket
from pathlib import Path

import pytest
from machine import PATIENCE, eventually

from coverage_tasks.errors import TaskError
from coverage_tasks.project import SPY, Project
from coverage_tasks.runtimes import procfile
from coverage_tasks.runtimes.procfile import (
    Started,
    accepts,
    end,
    exit_code,
    is_alive,
    read_processes,
    run,
    with_spy,
)


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
        log = project.data / "logs" / "it.log"
        everything.append(run(process, process.environment, project.root, log))
        return everything[-1], log

    yield begun
    for started in everything:
        end([started])


def wait_for(condition):
    found = eventually(condition)
    assert found, f"nothing happened for {PATIENCE} s"
    return found


def read(project: Project, text: str, **environ: str) -> dict[str, procfile.Process]:
    project.files[0].write_text(text)
    return {process.name: process for process in read_processes(project, environ)}


def test_reads_a_procfile_as_honcho_does(project):
    (project.root / ".env").write_text("COLOUR=green\nPATH=/mine\n")
    found = read(project, "# two\nweb: serve --port $PORT\n\nworker-1: work\n", PATH="/bin", COLOUR="red")
    assert list(found) == ["web", "worker-1"]
    assert found["web"].command == "serve --port $PORT"
    assert [process.environment["PORT"] for process in found.values()] == ["5000", "5100"]
    assert found["web"].environment["COLOUR"] == "green"
    assert found["web"].environment["PATH"] == "/mine"


@pytest.mark.parametrize(
    ("command", "ports"),
    [
        ("python worker.py", ()),
        ("serve --port $PORT", (5000,)),
        ("serve -p ${PORT:-1}", (5000,)),
        ("echo $PORTAL", ()),
        ("uvicorn --host 127.0.0.1 --port 8002 main:app", (8002,)),
        ("gunicorn --bind 127.0.0.1:8001 -b [::1]:8003 main:app", (8001, 8003)),
        ("python manage.py runserver 0.0.0.0:8000", (8000,)),
        ("DATABASE=postgres://db:5432 API=http://127.0.0.1:9000 python worker.py", ()),
        ("python -m http.server --bind 127.0.0.1 8000", ()),
        ("gunicorn -b 127.0.0.1 main:app", ()),
        ("mkdir -p data && python worker.py", ()),
    ],
)
def test_knows_the_ports_a_command_listens_on(project, command, ports):
    assert read(project, f"it: {command}\n")["it"].ports == ports


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "names no process: add a line"), ("it: a\nit: b\n", "names a process twice: give each")],
)
def test_refuses_a_procfile_that_says_nothing(project, text, message):
    with pytest.raises(TaskError, match=message):
        read(project, text)


def test_refuses_a_port_that_is_no_number(project):
    with pytest.raises(TaskError, match="PORT is 'http': set it to a number"):
        read(project, "it: a\n", PORT="http")


@pytest.mark.parametrize(("existing", "expected"), [("", [SPY]), ("/a::/b", [SPY, "/a", "/b"])])
def test_spy_comes_first_and_nothing_is_empty(project, existing, expected):
    process = read(project, "it: a\n", PYTHONPATH=existing)["it"]
    environment = with_spy(process, project)
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(path) for path in expected]
    assert environment["COVERAGE_FILE"] == str(project.journals / "it" / ".coverage.it")
    assert environment["COVERAGE_SOURCE"] == str(project.root)
    assert environment["COVERAGE_ENABLE"] == "true"


def test_output_goes_to_the_log(begin):
    started, log = begin("echo out; echo err >&2; pwd")
    assert wait_for(lambda: exit_code(started) is not None) is True
    assert log.read_text().splitlines() == ["out", "err", str(log.parents[2])]


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


def test_accepts_tells_whether_a_port_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert accepts(port)
    assert not accepts(port)
