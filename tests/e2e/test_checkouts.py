"""Two checkouts of one repository, measured at the same time on one engine, beside the stack of one of them."""

import os
import socket
import subprocess
from dataclasses import dataclass

import pytest
from e2e.stacks import SERVER, Repository, compose_command, docker
from template import CACHE

from coverage_tasks.runtimes import stack
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.runtimes.compose import runtime, services

pytestmark = pytest.mark.engine

WEB = """
    import pathlib, time
    pathlib.Path("/kept/mark").write_text("{who}")
    print("{who}", flush=True)
    while True:
        time.sleep(0.1)
"""
COMPOSE = """
    services:
      web:
        build: web
        container_name: {name}-web
        stop_grace_period: 0s
        volumes: ["kept:/kept"]
        networks: [back]
      peer:
        image: python:3.13-slim
        command: [sleep, "600"]
        stop_grace_period: 0s
        networks: [back]
    networks:
      back: {{name: {name}-net}}
    volumes:
      kept: {{name: {name}-kept}}
"""


@dataclass
class Checkouts:
    first: Repository
    second: Repository


@pytest.fixture
def checkouts(repository, tmp_path):
    """Two directories of one name, with different code."""
    root = tmp_path / "other" / repository.name
    root.mkdir(parents=True)
    second = Repository(root)
    for checkout, lines in ((repository, ""), (second, "\n    # another\n    # branch")):
        checkout.service("web", lines + WEB.format(who=checkout.stack))
        checkout.write("web/same.py", "SAME = True\n")
        checkout.write("docker-compose.yml", COMPOSE.format(name=repository.name))
    yield Checkouts(repository, second)
    second.clean_up()
    for kind, name in (("network", "net"), ("volume", "kept")):
        subprocess.run(["docker", kind, "rm", f"{repository.name}-{name}"], capture_output=True)


def in_peer(checkout, program):
    (peer,) = (one for one in checkout.containers() if "-peer-" in docker("inspect", "-f", "{{.Name}}", one))
    return docker("exec", peer, "python", "-c", program).strip()


def test_both_run_at_once_beside_production_each_with_its_own_code_data_and_names(checkouts):
    both = (checkouts.first, checkouts.second)
    production = [*compose_command(), "--project-directory", str(both[0].root)]
    subprocess.run([*production, "up", "--detach"], capture_output=True, check=True)
    started = [checkout.start("up-coverage", "--build") for checkout in both]
    for process in started:
        err = process.communicate()[1]
        assert process.returncode == 0, err
        assert f"has a container {both[0].name}-web: web is known by that name to its networks only" in err
    for checkout in both:
        assert len(checkout.containers()) == 2
        # The name that the compose file fixes leads to the stack's own container, and the volume is its own.
        names = ("web", f"{both[0].name}-web")
        asked = f"import socket; print(len({{socket.gethostbyname(name) for name in {names!r}}}))"
        assert in_peer(checkout, asked) == "1"
        assert (
            docker("run", "--rm", "-v", f"{checkout.stack}_kept:/kept:ro", "python:3.13-slim", "cat", "/kept/mark")
            == checkout.stack
        )
    assert len(subprocess.run([*production, "ps", "-q"], capture_output=True, text=True).stdout.split()) == 2
    for checkout in both:
        checkout.succeed("down-coverage")
    subprocess.run([*production, "down", "--volumes"], capture_output=True, check=True)
    assert both[0].executed() == {"web/main.py": [1, 2, 3, 4, 5], "web/same.py": []}
    assert both[1].executed() == {"web/main.py": [3, 4, 5, 6, 7], "web/same.py": []}


def test_image_of_another_checkout_is_named(checkouts):
    checkouts.second.succeed("coverage-overlay")
    err = checkouts.first.succeed("up-coverage").stderr
    name = checkouts.first.name
    assert f"web/main.py is not what the image {name}-web was built from: --build builds it anew" in err
    checkouts.first.succeed("down-coverage")


def test_image_that_somebody_builds_between_look_and_creation_is_looked_at_again(repository, monkeypatch, caplog):
    repository.service("web", WEB.format(who="first"))
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "COVERAGE_"))]:
        if name != CACHE:
            monkeypatch.delenv(name)
    caplog.set_level("INFO")
    built = []

    def find_services(*arguments):
        found = services.find_services(*arguments)
        if not built:
            # As `docker compose build` by hand in another checkout.
            repository.write("web/main.py", "import time\ntime.sleep(600)\n")
            built.append(docker("build", "--quiet", "--tag", f"{repository.name}-web", str(repository.root / "web")))
        return found

    monkeypatch.setattr(runtime, "find_services", find_services)
    stack.up(find_project(repository.root, {"COVERAGE_SPY_RUNTIME": "compose"}))
    assert f"{repository.name}-web was built anew meanwhile" in caplog.text
    assert repository.state()["services"]["web"]["ids"][0] == built[0].strip()
    (container,) = repository.containers()
    assert docker("inspect", "--format", "{{.Image}}", container) == built[0]
    repository.succeed("down-coverage")


def test_container_that_has_the_port_is_named(repository, free_port, tmp_path):
    other = Repository(tmp_path / "other" / repository.name)
    for checkout in (repository, other):
        checkout.service("web", SERVER)
        checkout.write(
            "docker-compose.yml",
            f"services:\n  web: {{build: web, stop_grace_period: 0s, ports: ['127.0.0.1:{free_port}:8000']}}\n",
        )
    other.succeed("up-coverage")
    said = repository.refuse("up-coverage")
    assert (
        f"port {free_port} is taken by the container {other.stack}-web-1 of the compose project {other.stack} in"
        in said
    )
    assert str(other.root) in said
    assert repository.containers() == []
    other.succeed("down-coverage")
    other.clean_up()
    with socket.create_server(("127.0.0.1", free_port)):
        pass
