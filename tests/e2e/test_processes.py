"""Every process that started is named, and every one of which something is unknown."""

import json

import pytest
from e2e.stacks import docker
from machine import eventually

from coverage_tasks.places import state_directory
from coverage_tasks.recorded.journals import read_journals

pytestmark = pytest.mark.engine

LOOP = "import time\nwhile True:\n    time.sleep(0.1)\n"


def processes_of(repository, service):
    analysis = json.loads(repository.succeed("analyze-coverage", "--json").stdout)
    return analysis["services"][service]["processes"], analysis["findings"]


def is_old_enough(container, name):
    """Whether a process of a container has lived for a second: before that it may still become another program."""
    lines = docker("top", container, "-o", "pid,etimes,args").splitlines()
    return any(int(line.split()[1]) > 0 for line in lines if name in line)


def test_a_process_without_a_receipt_is_named_beside_those_that_have_one(repository):
    repository.service("web", "import time\nSTARTED = True\nwhile True:\n    time.sleep(0.1)\n")
    repository.write("web/secret.py", LOOP)
    repository.write("web/start.sh", "python -S -u secret.py --token hush & exec python main.py\n")
    repository.write(
        "compose.yaml", "services:\n  web: {build: web, command: [sh, start.sh], stop_grace_period: 0s, scale: 2}\n"
    )
    repository.succeed("up-coverage")
    places = [f"{repository.stack}-web-{number}" for number in (1, 2)]
    assert eventually(lambda: all(is_old_enough(place, "secret.py") for place in places))
    repository.succeed("down-coverage")
    processes, findings = processes_of(repository, "web")
    assert [process["state"] for process in processes["known"]] == ["complete", "complete"]
    assert [process["pid"] for process in processes["known"]] == [1, 1]
    assert len({process["host"] for process in processes["known"]}) == 2
    assert all(silent["pid"] > 1 for silent in processes["silent"])
    names = {silent["place"] for silent in processes["silent"]}
    assert names == {f"{repository.stack}-web-1", f"{repository.stack}-web-2"}
    assert {silent["command"] for silent in processes["silent"]} == {"python -S -u secret.py"}
    assert sum("sent no receipt" in finding and "python -S" in finding for finding in findings) == 2
    assert "hush" not in "".join(file.read_text() for file in state_directory(repository.root).glob("*.json"))
    table = repository.succeed("analyze-coverage").stdout
    assert "no receipt" in table
    assert "complete" in table


def test_a_container_that_ran_python_and_is_gone_is_named(repository):
    repository.service("web", LOOP)
    repository.write("web/migrate.py", "print('done')\n")
    repository.write(
        "compose.yaml",
        """
        services:
          web: {build: web, stop_grace_period: 0s}
          migrate: {build: web, command: [python, -S, migrate.py, --password, hush]}
        """,
    )
    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    processes, findings = processes_of(repository, "migrate")
    assert processes["all"] == 0
    assert [silent["command"] for silent in processes["silent"]] == ["python -S migrate.py"]
    assert any(
        finding.startswith("migrate: it sent nothing") and "python -S migrate.py" in finding for finding in findings
    )
    assert processes_of(repository, "web")[0]["silent"] == []


def test_measured_processes_of_every_kind_are_not_called_silent(repository):
    repository.service(
        "web",
        """
        import os, subprocess, sys, time

        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={})
        os.fork()
        time.sleep(600)
        """,
        base="python:3.11-slim",
    )
    repository.write(
        "compose.yaml",
        """
        services:
          web: {build: web, command: sh -c "sleep 1; exec python main.py", stop_grace_period: 0s, hostname: same}
        """,
    )
    repository.succeed("up-coverage")
    data = state_directory(repository.root)
    # The child that becomes another program sends two.
    assert eventually(lambda: len(read_journals(data / "journals")[0]) == 5)
    repository.succeed("down-coverage")
    processes, findings = processes_of(repository, "web")
    assert processes["silent"] == []
    assert processes["all"] == 5
    assert not any("receipt" in finding for finding in findings)
