"""COVERAGE_SPY_INJECT=pth in a real stack: reaches what no variable reaches, and changes no variable."""

import json

import pytest
from e2e.stacks import docker

from coverage_tasks.places import state_directory

pytestmark = pytest.mark.engine

PARENT = """
    import json, os, subprocess, sys, time
    print(json.dumps([sorted(os.environ), sys.path]), flush=True)
    for command in (["-E"], ["-I"], []):
        subprocess.run([sys.executable, *command, "child.py", *command], env={} if not command else None, check=True)
    subprocess.run(["env", "-i", "/opt/venv/bin/python", "child.py", "venv"], check=True)
    print("ready", flush=True)
    time.sleep(1000)
"""
CHILD = """
    import sys
    if sys.argv[1:] == ["-E"]:
        print("E")
    elif sys.argv[1:] == ["-I"]:
        print("I")
    elif sys.argv[1:] == ["venv"]:
        print("venv")
    elif sys.argv[1:] == ["exec"]:
        print("exec")
    else:
        print("cleared")
"""


@pytest.mark.parametrize("base", ["python:3.11-slim", "python:3.13-slim"])
def test_reaches_every_interpreter_without_a_variable(repository, base):
    repository.service("web", PARENT, base, more="RUN python -m venv --without-pip /opt/venv")
    repository.write("web/child.py", CHILD)
    repository.write(
        "docker-compose.yml",
        """
        services:
          web:
            build: web
            read_only: true
            user: "1000"
            stop_grace_period: 0s
            environment: {PYTHONPATH: /nowhere}
        """,
    )
    repository.succeed("up-coverage", COVERAGE_SPY_INJECT="pth")
    (container,) = repository.containers()
    environment, path = json.loads(docker("logs", container).splitlines()[0])
    assert not [name for name in environment if name.startswith("COVERAGE")]
    assert "/coverage-spy" not in path
    assert docker("exec", container, "printenv", "PYTHONPATH") == "/nowhere\n"
    docker("exec", container, "env", "-i", "/usr/local/bin/python", "-I", "/app/child.py", "exec")
    repository.succeed("down-coverage")
    executed = repository.executed()
    assert executed["web/child.py"] == [*range(1, 10), 11]
    assert set(range(1, 8)) <= set(executed["web/main.py"])
    assert len(list(state_directory(repository.root).rglob("*.journal"))) == 6


def test_volumes_stay_as_they_are_and_variables_make_up_for_it(repository):
    repository.service(
        "web",
        "import os, time\nprint(os.listdir('/opt/venv/lib/python3.13/site-packages'), flush=True)\ntime.sleep(1000)\n",
        more="RUN python -m venv --without-pip /opt/venv\nENV PATH=/opt/venv/bin:/usr/bin:/bin",
    )
    repository.write(
        "docker-compose.yml",
        "services:\n  web: {build: web, stop_grace_period: 0s, volumes: [venv:/opt/venv]}\nvolumes: {venv: {}}\n",
    )
    repository.succeed("up-coverage", COVERAGE_SPY_INJECT="pth")
    (container,) = repository.containers()
    assert docker("logs", container) == "[]\n"
    repository.succeed("down-coverage")
    assert repository.executed() == {"web/main.py": [1, 2, 3]}
