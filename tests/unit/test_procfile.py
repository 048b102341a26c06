import os
import socket

import pytest

from coverage_tasks.errors import TaskError
from coverage_tasks.project import SPY, Project
from coverage_tasks.runtimes import procfile
from coverage_tasks.runtimes.procfile import read_processes, with_spy
from coverage_tasks.runtimes.readiness import accepts


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, "procfile", (tmp_path / "Procfile",))


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
    environment = with_spy(process, project, SPY)
    assert environment["PYTHONPATH"].split(os.pathsep) == [str(path) for path in expected]
    assert environment["COVERAGE_FILE"] == str(project.journals / "it" / ".coverage.it")
    assert environment["COVERAGE_SOURCE"] == str(project.root)
    assert environment["COVERAGE_ENABLE"] == "true"


def test_variables_that_a_process_has_anyway_stay_its_own(project):
    process = read(project, "it: a\n", COVERAGE_FILE="/mine", COVERAGE_OMIT="*/old/*")["it"]
    environment = with_spy(process, project, SPY)
    assert environment["COVERAGE_FILE"] == "/mine"
    assert environment["COVERAGE_SPY_FILE"] == str(project.journals / "it" / ".coverage.it")
    assert environment["COVERAGE_SOURCE"] == environment["COVERAGE_SPY_SOURCE"] == str(project.root)
    assert environment["COVERAGE_OMIT"] == environment["COVERAGE_SPY_OMIT"] == "*/old/*"  # a setting of the tasks
    assert "COVERAGE_SPY_BRANCH" not in environment


def test_accepts_tells_whether_a_port_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert accepts(port)
    assert not accepts(port)
