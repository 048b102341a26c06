"""How the spy gets in and the journals out: bind mounts, labels, volumes, on engines that see or map other things."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from checkouts import commit, git
from e2e.engines import other_engine
from e2e.stacks import SERVER, Repository, compose_command, docker
from faces.workflow import Job, alpine
from template import STATES

from coverage_tasks.errors import TaskError
from coverage_tasks.places import state_directory
from coverage_tasks.project import TOOL
from coverage_tasks.runtimes import stack
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.runtimes.compose import engine, mounts

pytestmark = pytest.mark.engine

LOOP = "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n"
COMPOSE = """
    services:
      root: {image: &image "python:3.13-slim", command: &command [python, /app/main.py], stop_grace_period: 0s,
             volumes: [&code "./web:/app:ro"]}
      user: {image: *image, command: *command, stop_grace_period: 0s, volumes: [*code], user: "1234", read_only: true}
"""
LINES = {"web/main.py": [1, 2, 3, 4]}


@pytest.fixture
def web(repository):
    repository.write("web/main.py", LOOP)
    repository.write("docker-compose.yml", COMPOSE)
    return repository


def volumes_of(stack_name):
    return docker("volume", "ls", "--quiet", "--filter", f"name={stack_name}").split()


def journals(repository):
    return list(state_directory(repository.root).rglob("*.journal"))


def test_volumes_carry_the_spy_in_and_the_journals_out(web):
    web.environ["COVERAGE_SPY_MOUNT"] = "volume"
    web.succeed("up-coverage")
    for container in web.containers():
        found = json.loads(docker("inspect", "--format", "{{json .Mounts}}", container))
        assert {mount["Destination"]: mount["Type"] for mount in found} == {
            "/app": "bind",
            "/coverage": "volume",
            "/coverage-spy": "volume",
        }
    assert web.executed() == LINES
    assert len(journals(web)) == 2
    assert "2 containers ran the images as they are" in web.succeed("down-coverage").stderr
    assert volumes_of(web.stack) == []

    # Nothing of the last run comes back, and a stack that was removed by hand has left its journals in the volume.
    web.succeed("up-coverage", COVERAGE_SPY_INJECT="image")
    docker("rm", "--force", *web.containers())
    assert web.executed() == LINES
    assert len(journals(web)) == 2
    web.succeed("up-coverage")
    web.succeed("down-coverage")
    assert len(journals(web)) == 2
    assert volumes_of(web.stack) == []


def test_host_with_selinux_gives_its_directories_a_label(web, monkeypatch):
    for name in ("COMPOSE_FILE", "COMPOSE_PROJECT_NAME", "COVERAGE_SPY_MOUNT", "COVERAGE_SPY_INJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(engine, "has_selinux", lambda: True)
    project = find_project(web.root, {"COVERAGE_SPY_RUNTIME": "compose"})
    stack.up(project)
    try:
        for container in web.containers():
            binds = json.loads(docker("inspect", "--format", "{{json .HostConfig.Binds}}", container))
            options = {bind.split(":")[1]: bind.split(":")[2] for bind in binds}
            assert options["/coverage"] == "rw,z"
            assert sorted(options["/coverage-spy"].split(",")) == ["ro", "z"]
    finally:
        stack.down(project)
    assert len(journals(web)) == 2


def test_engine_that_sees_the_directory_is_told_from_one_that_does_not(tmp_path, monkeypatch):
    assert mounts.is_seen(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(mounts.engine, "files_in", lambda *_: iter(()))  # what an engine elsewhere has there
        assert not mounts.is_seen(tmp_path)
    # Any other reason is no answer to the question.
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    with pytest.raises(TaskError, match="no container engine answers"):
        mounts.is_seen(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def through_fuse(tmp_path):
    """A directory that every process sees through FUSE, as virtual machines share their host's."""
    (tmp_path / "real").mkdir()
    (tmp_path / "shared").mkdir()
    subprocess.run(["bindfs", str(tmp_path / "real"), str(tmp_path / "shared")], check=True)
    yield tmp_path / "shared"
    subprocess.run(["umount", "--lazy", str(tmp_path / "shared")], check=True)


@pytest.mark.fuse
@pytest.mark.root
def test_directory_that_containers_see_through_fuse_is_left_for_volumes(through_fuse, monkeypatch):
    monkeypatch.setenv(STATES, str(through_fuse))
    web = Repository(through_fuse / f"e2e{uuid4().hex[:10]}")
    web.service("web", LOOP)
    web.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    try:
        said = web.succeed("up-coverage").stderr
        assert f"containers see {state_directory(web.root)} by way of fuse" in said
        assert web.mounted() == "volume"
        web.succeed("down-coverage")
        assert web.executed() == LINES
        web.succeed("up-coverage", COVERAGE_SPY_MOUNT="bind")
        assert web.mounted() == "bind"
        web.succeed("down-coverage")
        assert "set it to mount, or to image" in web.refuse("up-coverage", COVERAGE_SPY_INJECT="pth")
    finally:
        web.clean_up()


@pytest.fixture(scope="module")
def elsewhere():
    """DOCKER_HOST of another engine, and a directory of which it sees nothing."""
    # Short, for the sockets in it, and open to the users that the engine maps to.
    directory = Path(tempfile.mkdtemp(prefix="cs"))
    directory.chmod(0o711)
    (directory / "hidden").mkdir()
    try:
        with other_engine(directory / "engine", directory / "hidden", "python:3.13-slim") as host:
            yield host, directory / "hidden"
    finally:
        shutil.rmtree(directory)


def test_engine_elsewhere_and_engine_with_user_namespaces(tmp_path, elsewhere, monkeypatch):
    host, place = elsewhere
    hidden = Repository(place / "web")
    seen = Repository(tmp_path / "seen")
    for repository, kind in ((hidden, "volume"), (seen, "bind")):
        repository.environ[STATES] = str(repository.root.parent / "states")
        monkeypatch.setenv(STATES, repository.environ[STATES])
        repository.service("web", LOOP)
        repository.write(
            "docker-compose.yml",
            """
            services:
              root: {build: web, image: web, stop_grace_period: 0s}
              user: {image: web, stop_grace_period: 0s, user: "1234", read_only: true}
            """,
        )
        said = repository.succeed("up-coverage", DOCKER_HOST=host).stderr
        assert ("the engine does not see" in said) is (kind == "volume")
        assert repository.mounted() == kind
        repository.environ["DOCKER_HOST"] = host
        assert repository.executed() == LINES
        said = repository.succeed("down-coverage").stderr
        assert "2 containers ran the images as they are" in said
        assert len(journals(repository)) == 2
        assert volumes_of(repository.stack) == []
    owners = {journal.stat().st_uid for journal in journals(seen)}
    assert owners == {100000, 101234}
    seen.succeed("coverage-clean")
    assert not state_directory(seen.root).exists()


TEST = """
import os
import subprocess

ASK = "import urllib.request; print(urllib.request.urlopen('http://localhost:8000').read())"


def test_web():
    assert os.environ["BASE_URL"] == "http://docker:8000"
    said = subprocess.check_output([*COMPOSE, "exec", "-T", "web", "python", "-c", ASK], text=True)
    assert "hello" in said
"""


def test_gitlabs_job_runs_its_containers_on_an_engine_that_sees_none_of_its_files(elsewhere, tmp_path, monkeypatch):
    host, place = elsewhere
    monkeypatch.setenv(STATES, str(place))
    web = Repository(place / "shop")
    web.service("web", SERVER)
    web.write("docker-compose.yml", "services:\n  web: {build: web, init: true, ports: ['8000:8000']}\n")
    web.write("tests/e2e/test_web.py", f"COMPOSE = {compose_command()}\n{TEST}")
    web.succeed("coverage-install", str(web.root))
    git(web.root, "init", "-q")
    commit(web.root)

    file = yaml.safe_load((TOOL / "docs/ci/gitlab-ci.yml").read_text())
    job = Job(web.root, tmp_path, file, "coverage", PATH=alpine(tmp_path, "pytest"), TMPDIR=str(tmp_path))
    # As variables of the project: a socket has no certificates.
    green = job.run(DOCKER_HOST=host, DOCKER_TLS_VERIFY="", DOCKER_CERT_PATH="")
    assert green, job.output
    assert "the engine does not see" in job.output
    assert web.mounted() == "volume"
    kept = job.kept(green)
    assert all(kept.values()), kept
    [service] = kept["coverage-data/services/*.xml"]
    assert 'filename="web/main.py"' in service.read_text()
    found = json.loads((web.root / "coverage.json").read_text())
    assert found["files"]["web/main.py"]["missing_lines"] == [5]
    assert job.coverage == found["totals"]["percent_covered_display"]
