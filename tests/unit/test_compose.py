import stat

import pytest

from coverage_tasks import compose
from coverage_tasks.compose import PORT_TAKEN
from coverage_tasks.project import Project, TaskError


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A directory that is all of PATH, and a way to put commands into it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    compose._compose_command.cache_clear()

    def put(name: str, script: str) -> None:
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)

    yield put
    compose._compose_command.cache_clear()


KNOWS_COMPOSE = 'case "$*" in "compose version --short") echo 2.40.3;; *) exit 1;; esac'
NO_PLUGIN = 'echo "unknown command" >&2; exit 1'


@pytest.mark.parametrize(
    ("docker", "standalone", "expected"),
    [
        (KNOWS_COMPOSE, None, ("docker", "compose")),
        (NO_PLUGIN, '[ "$1" = version ] && echo 2.40.3', ("docker-compose",)),
        (None, '[ "$1" = version ] && echo 5.0.1', ("docker-compose",)),
        (NO_PLUGIN, '[ "$1" = version ] && echo 1.29.2', None),
        (NO_PLUGIN, "echo 2.40.3; exit 0", None),  # a wrapper that ends with 0 whatever happens
        (NO_PLUGIN, None, None),
    ],
)
def test_finds_compose(commands, docker, standalone, expected):
    for name, script in (("docker", docker), ("docker-compose", standalone)):
        if script:
            commands(name, script)
    if expected:
        assert compose._compose_command() == expected
    else:
        with pytest.raises(TaskError, match="docker compose is not installed: install"):
            compose._compose_command()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "the command docker is not installed: install Docker"),
        (
            "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
            "Cannot connect to the Docker daemon): start Docker",
        ),
        ("exit 1", "(no reason given): start Docker"),
        ("while :; do :; done", "has not answered for 0.2 s: restart it"),
    ],
)
def test_engine_problem_names_the_remedy(commands, monkeypatch, script, message):
    monkeypatch.setattr(compose, "ENGINE_SECONDS", 0.2)
    if script:
        commands("docker", script)
    assert message in compose.engine_problem()


def test_no_engine_problem_where_it_answers(commands):
    commands("docker", "echo 28.0.1")
    assert compose.engine_problem() is None


def test_up_and_down_name_the_same_files(commands, tmp_path):
    commands("docker", KNOWS_COMPOSE)
    project = Project(tmp_path, "compose", tmp_path, (tmp_path / "a.yml", tmp_path / "b.yml"))
    overlay = compose.overlay_file(project)
    overlay.parent.mkdir()
    overlay.touch()
    expected = ["docker", "compose", "-f", str(tmp_path / "a.yml"), "-f", str(tmp_path / "b.yml")]
    assert compose.base(project) == expected
    assert compose.measured(project, "shop-coverage") == [*expected, "-f", str(overlay), "-p", "shop-coverage"]


@pytest.mark.parametrize(
    ("there", "environ", "expected"),
    [
        ([".env", "deploy/.env"], {}, ["deploy/.env", ".env"]),
        ([".env"], {}, [".env"]),
        (["deploy/.env"], {}, []),  # compose finds it
        ([".env/web.env"], {}, []),
        ([".env"], {"COMPOSE_ENV_FILES": "prod.env"}, []),
        ([".env"], {"COMPOSE_DISABLE_ENV_FILE": "1"}, []),
    ],
)
def test_names_the_dotenv_that_compose_would_not_find(commands, tmp_path, monkeypatch, there, environ, expected):
    commands("docker", KNOWS_COMPOSE)
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for name in ("COMPOSE_ENV_FILES", "COMPOSE_DISABLE_ENV_FILE"):
        monkeypatch.setenv(name, environ.get(name, ""))
    project = Project(tmp_path, "compose", tmp_path, (tmp_path / "deploy" / "compose.yml",))
    options = [part for name in expected for part in ("--env-file", str(tmp_path / name))]
    assert compose.base(project) == ["docker", "compose", *options, "-f", str(project.files[0])]


def test_overlay_of_the_example_is_in_the_repository(tmp_path):
    example, other = (Project(tmp_path, "compose", tmp_path, (), example) for example in (True, False))
    assert compose.overlay_file(example) == tmp_path / "compose" / "docker-compose.coverage.yml"
    assert compose.overlay_file(other) == tmp_path / "coverage-data" / "docker-compose.coverage.yml"


@pytest.mark.parametrize(
    ("message", "port"),
    [
        ("Bind for 127.0.0.1:8001 failed: port is already allocated", "8001"),
        ("Bind for :::8001 failed: port is already allocated", "8001"),
        ("Error starting userland proxy: listen tcp4 0.0.0.0:5432: bind: address already in use", "5432"),
        ("listen tcp6 [::]:5432: bind: address already in use", "5432"),
        (
            "failed to bind host port for 127.0.0.1:8002:172.18.0.2:8000/tcp: address already in use",
            "8002",
        ),
        ("failed to bind host port 127.0.0.1:8002/tcp: address already in use", "8002"),
        (
            "ports are not available: exposing TCP 0.0.0.0:80: listen tcp 0.0.0.0:80: bind: address already in use",
            "80",
        ),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", None),
    ],
)
def test_finds_the_port_in_what_engines_say(message, port):
    found = PORT_TAKEN.search(message)
    assert (next(group for group in found.groups() if group) if found else None) == port


def test_dollar_signs_of_the_model_are_as_in_the_container(commands, tmp_path):
    answer = "services: {orders: {environment: {PYTHONPATH: /odd$$HOME}}}"
    commands(
        "docker",
        f"""case "$*" in
        "compose version --short") echo 2.40.3;; *--no-such-option*) exit 1;; *) echo '{answer}';; esac""",
    )
    model = compose.read_model(Project(tmp_path, "compose", tmp_path, (tmp_path / "compose.yml",)))
    assert model["services"]["orders"]["environment"] == {"PYTHONPATH": "/odd$HOME"}
