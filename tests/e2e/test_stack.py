import os
import re
import shutil
import signal
import socket
import time

import pytest
import yaml
from checkouts import IDENTITY, git
from e2e.stacks import SERVER, compose_command, docker
from template import run

from coverage_tasks.places import state_directory
from coverage_tasks.project import TOOL

OVERLAY = "docker-compose.coverage.yml"

pytestmark = pytest.mark.engine


@pytest.fixture
def shop(repository, free_port):
    """Hard points of compose in one stack: another user, a one-shot, no Python, a secret, a bind mount, old Pythons."""
    repository.service("web", SERVER, more="ENV PYTHONPATH=/opt/lib\nUSER 12345")
    repository.service("migrate", "DONE = True\nprint('migrated')\n", base="python:3.12-slim")
    repository.write("proxy/Dockerfile", "FROM python:3.13-slim\nRUN rm /usr/local/bin/python3*\nCMD exec sleep 600\n")
    repository.write("job/task.py", "import time\nSTARTED = True\nwhile True:\n    time.sleep(0.1)\n")
    repository.write(
        "docker-compose.yml",
        f"""
        services:
          web:
            build: web
            stop_grace_period: 0s
            ports: ["127.0.0.1:{free_port}:8000"]
            environment: {{TOKEN: hush-hush}}
            depends_on:
              migrate: {{condition: service_completed_successfully}}
            healthcheck:
              test: [CMD, python, -c, "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/')"]
              interval: 1s
              retries: 20
          migrate:
            build: migrate
          proxy:
            build: proxy
            stop_grace_period: 0s
          job:
            image: python:3.11-slim
            stop_grace_period: 0s
            command: [python, task.py]
            working_dir: /work
            volumes: ["./job:/work:ro", "kept:/kept"]
            environment: [PYTHONPATH=/own/lib]
        volumes:
          kept: {{}}
        """,
    )
    repository.url = f"http://127.0.0.1:{free_port}/"
    return repository


def test_measures_a_stack_from_up_to_down(shop):
    shop.succeed("up-coverage")
    assert len(shop.containers()) == 4
    shop.succeed("ensure-services-ready")
    fetch = ["python3", "-c", f"import urllib.request as u; print(u.urlopen({shop.url!r}).read())"]
    assert "hello" in shop.succeed("test-with-coverage", "--", *fetch).stdout

    live = shop.executed()
    assert live["web/main.py"]
    shop.succeed("down-coverage")
    assert shop.containers() == []
    assert docker("volume", "ls", "--quiet", "--filter", f"name={shop.stack}_kept").split() == [f"{shop.stack}_kept"]

    # Reports need no engine any more.
    shop.succeed("coverage-html", COVERAGE_SPY_RUNTIME="auto", DOCKER_HOST="unix:///nonexistent.sock")
    executed = shop.executed()
    assert executed == {
        "web/main.py": [1, 4, 8, 9, 10, 11, 12, 15],
        "migrate/main.py": [1, 2],
        "job/task.py": [1, 2, 3, 4],
    }
    services = shop.state()["services"]
    assert services["proxy"]["reason"] == "its image has no CPython"
    assert {name for name, entry in services.items() if entry["measured"]} == {"web", "migrate", "job"}
    assert services["web"]["image"] == f"{shop.name}-web"
    assert services["job"]["binds"] == [["/work", "job"]]

    proof = shop.proof()
    assert proof["deviations"] == []
    assert sorted(proof["changes"]["job-1"]["mount_points"]) == ["/coverage", "/coverage-spy", "/kept", "/work"]
    assert proof["changes"]["proxy-1"]["mount_points"] == []
    assert {path.split("/")[1] for path in proof["model"]} == {"web", "migrate", "proxy", "job"}


def test_overlay_holds_nothing_of_the_services_but_the_merged_python_path(shop):
    shop.succeed("coverage-overlay")
    text = (state_directory(shop.root) / "docker-compose.coverage.yml").read_text()
    assert "hush" not in text
    assert str(shop.root) not in text
    services = yaml.safe_load(text)["services"]
    assert services["proxy"] == {"image": f"{shop.name}-proxy"}
    assert services["web"]["environment"]["PYTHONPATH"] == "/coverage-spy:/opt/lib"
    assert services["job"]["environment"]["PYTHONPATH"] == "/coverage-spy:/own/lib"
    assert services["job"]["environment"]["COVERAGE_SOURCE"] == "/work"


def test_committed_overlay_is_checked_and_not_written(repository):
    repository.service("web", "print('up')\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web}\n")
    option = ("--output", "deploy/overlay.yml")
    overlay = repository.root / "deploy" / "overlay.yml"
    said = repository.refuse("coverage-overlay", "--check", *option)
    assert "overlay.yml cannot be read" in said
    assert "`coverage-overlay -- --output deploy/overlay.yml`" in said
    assert not overlay.exists()

    repository.succeed("coverage-overlay", *option)
    written = overlay.read_text()
    repository.succeed("coverage-overlay", "--check", *option)
    repository.write("docker-compose.yml", "services:\n  web: {build: web, environment: {PYTHONPATH: /lib}}\n")
    said = repository.refuse("coverage-overlay", "--check", *option)
    assert f"{option[1]} is not what" in said
    assert overlay.read_text() == written
    repository.succeed("coverage-overlay", *option)
    repository.succeed("coverage-overlay", "--check", *option)
    # An image that is derived from the service's is named, and not built to find out.
    repository.refuse("coverage-overlay", "--check", *option, COVERAGE_SPY_INJECT="image")
    assert not docker("image", "ls", "--quiet", f"{repository.stack}-web")


def test_hook_of_pre_commit_lets_through_what_leaves_the_overlay_current(repository, tmp_path):
    repository.service("web", "print('up')\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web}\n")
    repository.write(".pre-commit-config.yaml", (TOOL / "docs/ci/pre-commit-config.yaml").read_text())
    repository.succeed("coverage-install", str(repository.root))
    run("nox", "-s", "coverage-overlay", "--", "--output", OVERLAY, cwd=repository.root)
    git(repository.root, "init", "-q")
    environ = {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}
    run("pre-commit", "install", cwd=repository.root, **environ)

    def commit(message, check=0):
        git(repository.root, "add", "--all")
        answer = run("git", *IDENTITY, "commit", "-m", message, cwd=repository.root, check=check, **environ)
        return answer.stdout + answer.stderr

    assert re.search(r"is current\.+Passed", commit("current"))
    repository.write("web/main.py", "print('up again')\n")
    assert re.search(r"is current\.+\(no files to check\)Skipped", commit("nothing that the overlay depends on"))
    repository.write("docker-compose.yml", "services:\n  web: {build: web, environment: {PYTHONPATH: /lib}}\n")
    said = commit("no longer current", check=1)
    assert f"{OVERLAY} is not what" in said
    assert f"`coverage-overlay -- --output {OVERLAY}`" in said


def test_mounted_and_built_in_spy_see_the_same(repository, free_port):
    repository.service("new", "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n")
    repository.service("old", "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n\n", "python:3.11-slim")
    repository.write(
        "docker-compose.yml",
        "services:\n  new: {build: new, stop_grace_period: 0s}\n  old: {build: old, stop_grace_period: 1s}\n",
    )
    found = []
    for way in ("mount", "image"):
        repository.succeed("up-coverage", COVERAGE_SPY_INJECT=way)
        repository.succeed("down-coverage")
        assert docker("image", "ls", "--quiet", f"{repository.stack}-*") == ""
        found.append(repository.executed())
    assert found[0] == found[1] == {"new/main.py": [1, 2, 3, 4], "old/main.py": [1, 2, 3, 4]}


def test_new_run_starts_empty_unless_told_to_append(repository):
    repository.service("one", "print('done')\n")
    repository.write("docker-compose.yml", "services:\n  one: {build: one}\n")
    data = state_directory(repository.root)

    def journals():
        return set(data.rglob("*.journal"))

    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    first = journals()
    assert len(first) == 1
    repository.succeed("up-coverage", "--append")
    repository.succeed("down-coverage")
    both = journals()
    assert len(both) == 2
    assert first < both
    answer = repository.succeed("up-coverage")
    assert "removed 2 journals" in answer.stderr
    repository.succeed("down-coverage")
    assert len(journals()) == 1
    assert not journals() & both


def test_service_that_never_gets_healthy_is_named(repository):
    repository.service("web", "import time\ntime.sleep(600)\n")
    repository.write(
        "docker-compose.yml",
        """
        services:
          web:
            build: web
            stop_grace_period: 0s
            healthcheck: {test: [CMD, "false"], interval: 60s}
        """,
    )
    said = repository.refuse("up-coverage", COVERAGE_SPY_TIMEOUT="3")
    assert "not ready after 3 s: web is starting" in said
    assert "COVERAGE_SPY_TIMEOUT" in said
    assert repository.containers() == []


def test_port_that_is_taken_is_named(shop, free_port):
    with socket.create_server(("127.0.0.1", free_port)):
        said = shop.refuse("up-coverage")
    assert f"port {free_port} is taken" in said
    assert shop.containers() == []


def test_image_that_does_not_build_shows_why(repository):
    repository.service("web", "pass\n", more="RUN echo it-went-wrong && false")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    answer = repository.tasks("up-coverage")
    assert answer.returncode == 1
    assert "the image of web does not build: correct its Dockerfile" in answer.stderr
    assert "it-went-wrong" in answer.stderr


def test_image_that_is_nowhere_is_named(repository):
    repository.write("docker-compose.yml", "services:\n  web: {image: 'localhost:1/no/such:image'}\n")
    assert "the image of web is neither here nor can it be pulled" in repository.refuse("up-coverage")


@pytest.mark.parametrize("text", ["services: [", "services:\n  web: {imag: x}\n", "services: {}\n"])
def test_invalid_compose_file_is_named(repository, text):
    repository.write("docker-compose.yml", text)
    assert "docker-compose.yml" in repository.refuse("up-coverage")
    assert "docker-compose.yml" in repository.refuse("coverage-overlay")


def test_engine_that_does_not_answer_is_named(shop):
    for runtime in ("auto", "compose"):
        said = shop.refuse("up-coverage", COVERAGE_SPY_RUNTIME=runtime, DOCKER_HOST="unix:///nonexistent.sock")
        assert "start Docker" in said


def test_failing_test_command_still_gets_its_reports(shop):
    answer = shop.tasks("coverage", "--", "sh", "-c", "exit 7")
    assert answer.returncode == 7
    assert shop.containers() == []
    for name in ("htmlcov/index.html", "coverage.json", "coverage.xml", "lcov.info", "coverage.md"):
        assert (shop.root / name).is_file()


def test_plain_compose_reaches_the_stack_from_the_test_command(shop):
    shop.succeed("up-coverage")
    command = " ".join(compose_command())
    answer = shop.succeed("test-with-coverage", "--", "sh", "-c", f"cd / && {command} ps --all --services | sort")
    assert answer.stdout.split() == ["job", "migrate", "proxy", "web"]
    shop.succeed("test-with-coverage", "--", "sh", "-c", f"{command} kill -s SIGKILL job")
    shop.succeed("down-coverage")
    assert shop.executed()["job/task.py"] == [1, 2, 3, 4]


def test_interrupted_run_leaves_no_container_and_keeps_its_data(repository):
    repository.service("web", "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    with repository.start("coverage", "--", "sh", "-c", "echo testing; exec sleep 600") as process:
        assert process.stdout.readline() == "testing\n"
        process.terminate()
        assert process.wait(60) == 143
    assert repository.containers() == []
    assert repository.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_stack_removed_by_hand_is_no_stack(repository):
    repository.service("web", "import time\ntime.sleep(600)\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    repository.succeed("up-coverage")
    docker("rm", "--force", *repository.containers())
    assert "run up-coverage first" in repository.refuse("ensure-services-ready")
    assert "no measured stack is up" in repository.succeed("down-coverage").stderr


LEAVES = """
import signal, sys, time
def leave(*_):
    sys.exit()
signal.signal(15, leave)
while True:
    time.sleep(0.1)
"""


@pytest.fixture
def loop(repository):
    repository.service("web", "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    return repository


def leftovers(repository):
    """What of a run is still on the engine: containers, volumes, networks, helpers."""
    label = ("--filter", f"label=com.docker.compose.project={repository.stack}", "--quiet")
    helpers = ("--filter", f"label=coverage-spy-helper={socket.gethostname()}:{repository.killed}", "--quiet")
    listed = [docker("ps", "--all", *label), docker("volume", "ls", *label), docker("network", "ls", *label)]
    return [*listed, docker("ps", "--all", *helpers), docker("image", "ls", *helpers)]


@pytest.mark.parametrize("when", ["import", "create"])
def test_next_run_removes_an_interrupted_helper(loop, tmp_path, when):
    # A task that is killed once docker has done what it was told, before it hears of it.
    (tmp_path / "bin").mkdir()
    wrapped, real = tmp_path / "bin" / "docker", shutil.which("docker")
    of_it = f"--quiet --filter label=coverage-spy-helper={socket.gethostname()}:$PPID"
    wrapped.write_text(
        f'#!/bin/sh\n"{real}" "$@" || exit\n[ "$1" = {when} ] || exit 0\n'
        f'{{ echo $PPID; "{real}" ps --all {of_it}; "{real}" image ls {of_it}; }} >"{tmp_path}/killed"\n'
        "kill -KILL $PPID\n"
    )
    wrapped.chmod(0o755)
    loop.environ["COVERAGE_SPY_MOUNT"] = "volume"
    loop.succeed("up-coverage")
    answer = loop.tasks("coverage-report", PATH=f"{tmp_path}/bin:{loop.environ['PATH']}")
    assert answer.returncode == -9
    loop.killed, *left = (tmp_path / "killed").read_text().split()
    assert len(left) == {"import": 1, "create": 2}[when]
    loop.succeed("down-coverage")
    assert leftovers(loop) == [""] * 5
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_going_from_volumes_to_mounts_loses_nothing(loop):
    loop.write("web/main.py", LEAVES)
    loop.write("docker-compose.yml", "services:\n  web: {build: web}\n")
    loop.succeed("up-coverage", COVERAGE_SPY_MOUNT="volume")
    loop.write("docker-compose.yml", "services:\n  web: {build: web, stop_signal: SIGKILL}\n")
    loop.succeed("up-coverage", COVERAGE_SPY_MOUNT="bind")
    loop.succeed("down-coverage")
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4, 5, 6]}
    loop.killed = 0
    assert leftovers(loop) == [""] * 5


@pytest.mark.parametrize("mount", ["bind", "volume"])
def test_containers_removed_by_hand_are_read(loop, mount):
    loop.succeed("up-coverage", COVERAGE_SPY_MOUNT=mount)
    docker("rm", "--force", *loop.containers())
    loop.succeed("down-coverage")
    loop.killed = 0
    assert leftovers(loop) == [""] * 5
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_removed_data_directory_is_mounted_again(loop):
    loop.succeed("up-coverage")
    shutil.rmtree(state_directory(loop.root))
    loop.succeed("up-coverage")
    loop.succeed("down-coverage")
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_stack_that_is_up_survives_an_up_that_cannot_begin(loop):
    loop.succeed("up-coverage")
    before = loop.containers()
    loop.service("broken", "pass\n", more="RUN false")
    loop.write(
        "docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n  broken: {build: broken}\n"
    )
    assert "the image of broken does not build" in loop.tasks("up-coverage").stderr
    assert loop.containers() == before
    loop.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    loop.succeed("down-coverage")
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_image_that_may_not_be_pulled_is_named_with_what_to_do(repository):
    repository.write("docker-compose.yml", "services:\n  web: {image: 'not/here:1', pull_policy: never}\n")
    assert "the image not/here:1 of web is not here, and its pull_policy keeps it" in repository.refuse("up-coverage")


@pytest.mark.parametrize("between", [0.0, 0.4, 1.0])
def test_second_interrupt_leaves_no_container_and_loses_nothing(loop, between):
    loop.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 2s}\n")
    with loop.start("coverage", "--", "sh", "-c", "echo testing; exec sleep 600", apart=True) as process:
        assert process.stdout.readline() == "testing\n"
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(between)
        try:
            assert process.wait(120) == 130
        finally:
            process.kill()
    assert loop.containers() == []
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_second_run_of_a_checkout_is_refused_and_leaves_the_first_alone(loop):
    with loop.start("coverage", "--", "sh", "-c", "echo testing; while [ ! -e done ]; do sleep 0.1; done") as process:
        assert process.stdout.readline() == "testing\n"
        before = loop.containers()
        for task in (["coverage", "--", "true"], ["up-coverage"], ["down-coverage"]):
            assert "another task starts or stops services" in loop.refuse(*task)
        assert loop.containers() == before
        (loop.root / "done").touch()
        assert process.wait(120) == 0
    assert loop.executed() == {"web/main.py": [1, 2, 3, 4]}


def test_log_of_a_service_that_died_neither_commands_nor_disturbs(repository):
    repository.service("web", "print('::error title=x::y\\x1b[2J')\nraise SystemExit(1)\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web}\n")
    said = repository.tasks("up-coverage").stderr
    assert "| \\x3a:error title=x::y\\x1b[2J" in said
    assert "\x1b" not in said
    assert not any(line.startswith("::") for line in said.splitlines())
