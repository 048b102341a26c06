"""What a run says about its own innocence, on stacks that give it something to say."""

import time

import pytest
from e2e.stacks import docker

from coverage_tasks.places import state_directory
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.runtimes.compose import plain_run

pytestmark = [pytest.mark.engine, pytest.mark.every_engine]

POLITE = """
    import signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
    while True:
        time.sleep(0.1)
"""
COMPOSE = """
    services:
      polite: {build: polite}
      deaf:
        image: python:3.13-slim
        command: [python, /app/main.py]
        stop_grace_period: 1s
        tmpfs: [/scratch]
        volumes: ["kept:/kept", "./deaf:/app:ro"]
      once:
        image: python:3.13-slim
        command: [python, /app/main.py]
        volumes: ["./once:/app:ro"]
    volumes: {kept: {}}
"""


@pytest.fixture
def stack(repository):
    repository.service("polite", POLITE)
    repository.service("deaf", "import time\nopen('/mine', 'w').close()\nwhile True:\n    time.sleep(0.1)\n")
    repository.service("once", "DONE = True\n")
    repository.write("docker-compose.yml", COMPOSE)
    return repository


def test_run_that_changed_nothing_says_so_in_a_line_and_equals_a_run_without_measuring(stack, monkeypatch):
    stack.succeed("up-coverage")
    said = stack.succeed("down-coverage").stderr.splitlines()
    # A slow stop is said to be done, too.
    proof = [line for line in said if "stopping the services" not in line]
    assert proof[-1].startswith("coverage-spy: 3 containers ran the images as they are; measuring added mount points")
    found = stack.proof()
    assert found["deviations"] == found["notes"] == []
    endings = found["endings"]
    assert [endings[place]["exit_code"] for place in ("deaf-1", "once-1", "polite-1")] == [137, 0, 3]
    assert endings["once-1"]["stop_seconds"] is None
    assert endings["deaf-1"]["stop_seconds"] >= 1
    assert endings["polite-1"]["stop_seconds"] >= 0
    changes = found["changes"]["deaf-1"]
    assert sorted(changes["mount_points"]) == ["/app", "/coverage", "/coverage-spy", "/kept", "/scratch"]
    assert "A /mine" in changes["own"]

    before = {path: path.read_bytes() for path in state_directory(stack.root).rglob("*.journal")}
    project = find_project(stack.root, {"COVERAGE_SPY_RUNTIME": "compose"})
    for name in ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COVERAGE_SPY_TIMEOUT", "COVERAGE_SPY_INJECT"):
        monkeypatch.delenv(name, raising=False)
    compared = plain_run.compare(project)
    assert compared.differences == ()
    assert {place: ending.exit_code for place, ending in compared.plain.items()} == {
        "deaf-1": 137,
        "once-1": 0,
        "polite-1": 3,
    }
    assert {path: path.read_bytes() for path in state_directory(stack.root).rglob("*.journal")} == before
    label = f"label=com.docker.compose.project={stack.stack}-plain"
    for kind in ("container", "network", "volume"):
        assert docker(kind, "ls", "--quiet", "--filter", label, *(["--all"] * (kind == "container"))) == ""


def test_what_is_not_as_it_was_is_said(stack):
    stack.service(
        "once", "import os\nfirst = not os.path.exists('/mark')\nopen('/mark', 'w').close()\nos._exit(first)\n"
    )
    stack.write("docker-compose.yml", COMPOSE.replace("once:\n", "once:\n        restart: on-failure:1\n", 1))
    stack.succeed("up-coverage", "--build")
    deaf, once = (f"{stack.stack}-{service}-1" for service in ("deaf", "once"))
    while docker("inspect", "--format", "{{.RestartCount}} {{.State.Status}}", once) != "1 exited\n":
        time.sleep(0.1)
    # Whatever writes there, it is not the application's place, and somebody builds while the stack runs.
    docker("exec", deaf, "mkdir", "/tmp/coverage-spy")
    docker("tag", "python:3.13-slim", f"{stack.name}-polite")
    said = stack.succeed("down-coverage").stderr
    assert "deaf-1 has /tmp/coverage-spy, which the spy wrote there" in said
    assert f"the image {stack.name}-polite is another one than before the run" in said
    assert "once-1 ended by itself and was started again, 1 time" in said
    assert "as they are" not in said
