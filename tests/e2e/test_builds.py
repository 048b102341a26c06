"""Images that are built, edited, shared, pulled and lost between and during runs, which engines name differently."""

import json
import socket
import subprocess
import time

import pytest
from e2e.stacks import compose_command, docker

from coverage_tasks.places import state_directory

pytestmark = [pytest.mark.engine, pytest.mark.every_engine]

LOOP = "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n"
EDITED = "import time\nMORE = 1\nprint('up')\nwhile True:\n    time.sleep(0.1)\n"


@pytest.fixture
def web(repository):
    repository.service("web", LOOP)
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    return repository


def build(repository):
    """What a developer does beside a stack that is up."""
    command = [*compose_command(), "-f", str(repository.root / "docker-compose.yml"), "build", "--quiet"]
    subprocess.run(command, check=True, capture_output=True)


def recorded(repository):
    return sorted(file.name for file in (state_directory(repository.root) / "images").iterdir())


@pytest.mark.parametrize("mount", ["bind", "volume"])
def test_builds_without_a_change_change_nothing(web, mount):
    web.environ["COVERAGE_SPY_MOUNT"] = mount
    said = web.succeed("up-coverage").stderr
    first = recorded(web)
    before = web.containers()
    build(web)
    said = web.succeed("up-coverage").stderr
    assert "reading the image" not in said
    assert "built anew" not in said
    said = web.succeed("up-coverage", "--build").stderr
    assert "reading the image" not in said
    build(web)
    proven = web.succeed("down-coverage").stderr
    assert "1 container ran the images as they are" in proven
    assert web.proof()["deviations"] == []
    assert recorded(web) == first
    assert before
    assert web.containers() == []
    assert docker("volume", "ls", "--quiet", "--filter", f"name={web.stack}") == ""
    web.succeed("coverage-report")
    assert web.executed() == {"web/main.py": [1, 2, 3, 4]}


@pytest.mark.parametrize("mount", ["bind", "volume"])
def test_image_that_is_edited_and_built_while_its_stack_is_up_costs_nothing(web, mount):
    web.environ["COVERAGE_SPY_MOUNT"] = mount
    web.succeed("up-coverage")
    web.write("web/main.py", EDITED)
    build(web)
    docker("image", "prune", "--force", "--filter", f"label=com.docker.compose.project={web.name}")
    said = web.succeed("down-coverage").stderr
    assert f"the image {web.name}-web is another one than before the run" in said
    assert "web-1 ran" not in said
    # Nobody knows what ran but the journal: its lines are none of the source that is here.
    assert len(list(state_directory(web.root).rglob("*.journal"))) == 1
    web.write("web/main.py", LOOP)
    assert web.executed() == {"web/main.py": [1, 2, 3, 4]}

    web.write("web/main.py", EDITED)
    web.succeed("up-coverage")
    web.succeed("down-coverage")
    assert web.executed() == {"web/main.py": [1, 2, 3, 4, 5]}
    assert len(recorded(web)) == 1


@pytest.mark.parametrize("mount", ["bind", "volume"])
def test_image_that_loses_its_last_name_costs_nothing(web, mount):
    web.environ["COVERAGE_SPY_MOUNT"] = mount
    web.succeed("up-coverage")
    docker("image", "rm", "--force", f"{web.name}-web")
    assert web.executed() == {"web/main.py": [1, 2, 3, 4]}
    said = web.succeed("down-coverage").stderr
    assert f"the image {web.name}-web was removed during the run" in said
    assert "1 container ran the images as they are" in said
    assert web.containers() == []
    assert web.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_volume_of_a_stack_that_was_removed_by_hand_is_read_before_it_goes(web):
    web.environ["COVERAGE_SPY_MOUNT"] = "volume"
    web.succeed("up-coverage")
    docker("rm", "--force", *web.containers())
    docker("image", "rm", "--force", f"{web.name}-web")
    assert "removed 1 journal of the previous run" in web.succeed("up-coverage").stderr
    web.succeed("down-coverage")
    assert web.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_services_that_share_build_and_image_are_built_together(repository):
    repository.service("app", LOOP)
    repository.write(
        "docker-compose.yml",
        f"""
        services:
          web: {{build: app, image: {repository.name}-app, stop_grace_period: 0s}}
          worker: {{build: app, image: {repository.name}-app, stop_grace_period: 0s}}
          named: {{image: {repository.name}-app, stop_grace_period: 0s}}
        """,
    )
    for _ in range(2):
        said = repository.succeed("coverage", "--build", "--", "true").stderr
        assert "built anew" not in said
        assert "3 containers ran the images as they are" in said
        assert len(recorded(repository)) == 1
        assert (
            json.loads((repository.root / "coverage.json").read_text())["files"]["app/main.py"]["missing_lines"] == []
        )


def test_container_that_lost_its_fallback_to_a_new_one_has_given_it_away_before(repository):
    # The data directory takes nothing from its user, so the journals lie in the container.
    repository.service("web", LOOP, more="USER 12345")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    data = state_directory(repository.root)
    repository.succeed("up-coverage")
    first = {file.name for file in data.rglob("*.journal")}
    docker("exec", *repository.containers(), "python", "-c", "import os; os.mkdir('/tmp/coverage-spy')")
    kept = "0123456789abcdef.journal"
    docker("exec", *repository.containers(), "python", "-c", f"open('/tmp/coverage-spy/{kept}', 'w').write('x')")
    repository.write("web/main.py", EDITED)
    build(repository)
    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    assert first | {kept} < {file.name for file in data.rglob("*.journal")}


@pytest.fixture
def registry(tmp_path):
    """host:port of a registry of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (tmp_path / "registry.yml").write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (tmp_path / "registry.log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(tmp_path / "registry.yml")], stdout=log, stderr=log)
    try:
        while True:
            assert process.poll() is None, (tmp_path / "registry.log").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.registry
def test_image_is_taken_by_its_digest_from_a_registry(repository, registry):
    repository.service("web", LOOP)
    name = f"{registry}/{repository.name}-web"
    repository.write("build.yml", f"services:\n  web: {{build: web, image: '{name}:1'}}\n")
    file = str(repository.root / "build.yml")
    subprocess.run([*compose_command(), "-f", file, "build", "--quiet"], check=True, capture_output=True)
    docker("push", "--quiet", f"{name}:1")
    digests = json.loads(docker("image", "inspect", f"{name}:1"))[0]["RepoDigests"]
    (digest,) = [digest for digest in digests if digest.startswith(registry)]
    docker("image", "rm", "--force", f"{name}:1")
    try:
        for mount in ("bind", "volume"):
            repository.write("docker-compose.yml", f"services:\n  web: {{image: '{digest}', stop_grace_period: 0s}}\n")
            repository.succeed("up-coverage", COVERAGE_SPY_MOUNT=mount)
            assert "1 container ran the images as they are" in repository.succeed("down-coverage").stderr
            assert repository.executed() == {"web/main.py": [1, 2, 3, 4]}
    finally:
        subprocess.run(["docker", "image", "rm", "--force", digest], capture_output=True)


def test_registry_that_does_not_answer_is_told_from_a_dockerfile_that_fails(repository):
    repository.service("web", LOOP, base="localhost:1/base:1")
    repository.service("other", LOOP)
    repository.write("docker-compose.yml", "services:\n  web: {build: web}\n  other: {build: other}\n")
    said = repository.tasks("up-coverage").stderr
    assert "the image of web does not build: the registry does not answer" in said
    repository.write("docker-compose.yml", "services:\n  web: {image: 'localhost:1/base:1'}\n")
    said = repository.refuse("up-coverage")
    assert "the image of web is neither here nor can it be pulled: the registry does not answer" in said
