"""What compose files ask of services in production stays as it is, and keeps nothing from being recorded."""

import json
import time
from collections import Counter

import pytest
from e2e.stacks import docker

from coverage_tasks.places import state_directory
from coverage_tasks.recorded.journals import read_journals

pytestmark = pytest.mark.engine

PROGRAM = """
    import pathlib, sys, time
    import only_in_pythonpath
    mark = pathlib.Path("/mark")
    if sys.argv[1:] == ["again"] and not mark.exists():
        mark.touch()
        sys.exit()
    while True:
        time.sleep(0.1)
"""
COMPOSE = """
    x-app: &app {{image: "{name}-app", stop_grace_period: 0s}}
    services:
      again: {{<<: *app, restart: always, command: [python, main.py, again]}}
      confined:
        <<: *app
        user: "4321:4321"
        read_only: true
        cap_drop: [ALL]
        security_opt: ["no-new-privileges:true"]
        mem_limit: 64m
        pids_limit: 20
        ulimits: {{nofile: 64}}
        tmpfs: [/tmp]
      offline: {{<<: *app, network_mode: none, init: true, cap_drop: [ALL]}}
      twins: {{<<: *app, build: app, deploy: {{replicas: 2}}}}
"""
ASKED = {
    "offline": {"NetworkMode": "none", "Init": True, "CapDrop": ["ALL"]},
    "confined": {"ReadonlyRootfs": True, "CapDrop": ["ALL"], "Memory": 64 << 20, "PidsLimit": 20},
    "again": {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 0}},
}
PROCESSES = {"again": 2, "confined": 1, "offline": 1, "twins": 2}


def test_hardened_services_deliver_and_stay_hardened(repository):
    more = "COPY only_in_pythonpath.py /opt/lib/\nENV PYTHONPATH=/opt/lib\nRUN rm only_in_pythonpath.py"
    repository.service("app", PROGRAM, more=more)
    repository.write("app/only_in_pythonpath.py", "FOUND = True\n")
    repository.write("docker-compose.yml", COMPOSE.format(name=repository.name))
    repository.succeed("up-coverage")
    for container in repository.containers():
        found = json.loads(docker("inspect", container))[0]
        service = found["Config"]["Labels"]["com.docker.compose.service"]
        asked = ASKED.get(service, {})
        assert {name: found["HostConfig"][name] for name in asked} == asked
        assert found["Config"]["User"] == ("4321:4321" if service == "confined" else "")
    for _ in range(100):
        if len(list(state_directory(repository.root).rglob("*.journal"))) == sum(PROCESSES.values()):
            break
        time.sleep(0.2)
    assert "5 containers ran the images as they are" in repository.succeed("down-coverage").stderr

    journals, errors = read_journals(state_directory(repository.root) / "journals")
    assert not errors
    assert Counter(journal.receipt.service for journal in journals) == PROCESSES
    assert repository.executed() == {"app/main.py": [1, 2, 3, 4, 5, 6, 7, 8], "app/only_in_pythonpath.py": [1]}
