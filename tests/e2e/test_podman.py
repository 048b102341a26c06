"""The example on podman, of root and of a user, as a machine without systemd has it."""

import json
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from e2e import shop
from e2e.stacks import Repository
from machine import ROOT, alone_with
from template import STATES, copy_template

from coverage_tasks.places import state_directory

pytestmark = [pytest.mark.engine, pytest.mark.podman, pytest.mark.root]

SCRIPT = ROOT / ".ci" / "podman"
IMAGES = ("python:3.11-slim", "python:3.12-slim", "python:3.13-slim")
USER = "coverage-spy"


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """An archive of what the example's Dockerfiles begin with, out of the other engine."""
    archive = tmp_path_factory.mktemp("images") / "images.tar"
    subprocess.run(["docker", "save", "--output", archive, *IMAGES], check=True)
    return archive


@pytest.fixture
def podman(request, monkeypatch, images):
    """A directory that every user sees, and podman as the engine of docker; it has the images of the other engine."""
    with alone_with("podman"):
        directory = Path(tempfile.mkdtemp(prefix="podman-"))  # a short path
        directory.chmod(0o711)
        try:
            subprocess.run([SCRIPT, "start", directory, *request.param], stdout=subprocess.DEVNULL, check=True)
            host = f"unix://{directory}/podman.sock"
            subprocess.run(
                ["docker", "--host", host, "load", "--quiet", "--input", images], capture_output=True, check=True
            )
            monkeypatch.setenv("DOCKER_HOST", host)
            monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
            yield directory
        finally:
            subprocess.run([SCRIPT, "stop", directory], check=True)


@pytest.mark.parametrize("podman", [[], [USER]], ids=["root", "user"], indirect=True)
def test_example_executes_on_podman_what_it_does_elsewhere(podman, monkeypatch):
    monkeypatch.setenv(STATES, str(podman))
    root = podman / f"e2e{uuid4().hex[:10]}"
    copy_template(root)
    repository = Repository(root)
    repository.tool, repository.root = root, root / "examples" / "shop"
    state_directory(repository.root).mkdir(mode=0o711, parents=True)  # podman runs as somebody else than the task
    with alone_with("shop"):
        answer = repository.succeed("coverage", COMPOSE_PROJECT_NAME=repository.name)
    assert "3 containers ran the images as they are" in answer.stderr
    proof = repository.proof()
    assert proof["deviations"] == []
    assert {place: ending["health"] for place, ending in proof["endings"].items()} == {
        "catalog-1": "healthy",
        "orders-1": "healthy",
        "shipping-1": "",
    }
    # Podman before 4.7 gives containers of docker no time to stop: the worker alone was killed by a test.
    assert proof["endings"]["orders-1"]["stop_seconds"] is not None
    assert proof["endings"]["shipping-1"]["stop_seconds"] is None
    for name, service in json.loads(repository.succeed("analyze-coverage", "--json", "-q").stdout)["services"].items():
        parts = shop.executed(name, shop.STARTED[name] + shop.POLLED[name] + shop.HEALTH)
        assert [service["phases"][phase] for phase in parts._fields] == [len(part) for part in parts], name
        lines = {(path, line) for path, file in service["files"].items() for line in file["executed"]}
        assert lines == set().union(*parts)
    seen = {
        place["service"]: [s["command"] for s in place["seen"]]
        for place in json.loads((state_directory(repository.root) / "sightings.json").read_text())["places"]
    }
    assert seen["shipping"] == ["python worker.py"]
    assert len(seen["orders"]) == 3
    assert "engine-version" not in repository.tasks("coverage-doctor").stdout
