import json
import os
import stat
from datetime import UTC, datetime

import pytest

from coverage_tasks.errors import TaskError
from coverage_tasks.project import Project
from coverage_tasks.runtimes.compose import engine
from coverage_tasks.runtimes.compose.engine import PORT_TAKEN
from coverage_tasks.runtimes.compose.services import PROVIDED, find_services


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A directory that is all of PATH, and a way to put commands into it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    engine._compose_command.cache_clear()
    engine.is_podman.cache_clear()

    def put(name: str, script: str) -> None:
        command = tmp_path / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)

    yield put
    engine._compose_command.cache_clear()
    engine.is_podman.cache_clear()


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
        assert engine._compose_command() == expected
    else:
        with pytest.raises(TaskError, match="docker compose is not installed: install"):
            engine._compose_command()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "the command docker is not installed: install Docker"),
        (
            "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
            "Cannot connect to the Docker daemon): start Docker",
        ),
        ("exit 1", "(no reason given): start Docker"),
        ("echo windows", "the engine runs Windows containers: switch it to Linux containers"),
        (
            "echo 'client version 1.39 is too old. Minimum supported API version is 1.40' >&2; exit 1",
            "are too far apart (client version 1.39 is too old. Minimum supported API version is 1.40): update one",
        ),
        ("while :; do :; done", "has not answered for 0.2 s: restart it"),
    ],
)
def test_engine_problem_names_the_remedy(commands, monkeypatch, script, message):
    monkeypatch.setattr(engine, "ENGINE_SECONDS", 0.2)
    if script:
        commands("docker", script)
    assert message in engine.engine_problem()


CLASSIC = {
    "Id": "sha256:config",
    "Os": "linux",
    "Architecture": "arm64",
    "Variant": "v8",
    "RootFS": {"Type": "layers", "Layers": ["sha256:a", "sha256:b"]},
    "Config": {"Cmd": ["python"], "Labels": {"com.docker.compose.service": "web"}},
}


def with_images(commands, plain, exact="", says="Error response from daemon: no"):
    """A docker that describes an image with and without `--platform`; what is empty it does not have."""
    answer = "[ -n '{0}' ] && echo '[{0}]' && exit; echo '{1}' >&2; exit 1"
    given = [json.dumps(image) if image else "" for image in (exact, plain)]
    commands(
        "docker",
        f'case "$*" in *--platform*) {answer.format(given[0], says)};; *) {answer.format(given[1], says)};; esac',
    )


def test_image_has_the_ids_of_its_index_and_of_its_platforms_manifest(commands):
    with_images(commands, CLASSIC | {"Id": "sha256:index"}, CLASSIC | {"Id": "sha256:manifest"})
    found = engine.find_image("shop-web")
    assert found.ids == ("sha256:index", "sha256:manifest")
    with_images(commands, CLASSIC, CLASSIC)
    assert engine.find_image("shop-web").ids == ("sha256:config",)
    assert engine.find_image("shop-web").content == found.content


def test_content_changes_with_what_runs_and_not_with_ids_and_labels(commands):
    def content(**changes):
        with_images(commands, CLASSIC | changes, CLASSIC | changes)
        return engine.find_image("shop-web").content

    same = content()
    assert content(Id="sha256:another", Config={"Cmd": ["python"], "Labels": {}}) == same
    assert content(Config={"Cmd": ["python"], "Hostname": "", "Tty": False, "Volumes": None}) == same
    others = {
        content(RootFS={"Layers": ["sha256:b", "sha256:a"]}),
        content(Config={"Cmd": ["python", "-O"]}),
        content(Architecture="amd64"),
    }
    assert len(others) == 3
    assert same not in others


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ("unknown flag: --platform", True),
        ('"--platform" requires API version 1.49, but the Docker daemon API version is 1.41', True),
        ("image with reference shop was found but does not provide the specified platform (linux/386)", False),
    ],
)
def test_image_of_another_platform_is_none_where_the_engine_can_tell(commands, says, found):
    with_images(commands, CLASSIC, says=says)
    assert bool(engine.find_image("shop-web", "linux/386")) is found
    assert engine.find_image("shop-web").ids == ("sha256:config",)


def test_container_is_of_an_image_by_any_of_its_ids_or_by_what_that_holds(commands):
    with_images(commands, CLASSIC, CLASSIC)
    content = engine.find_image("any").content
    # The engine knows the id no more, and only the manifest says that the container has what was inspected.
    with_images(commands, "")
    description = {"Image": "sha256:old", "ImageManifestDescriptor": {"digest": "sha256:manifest"}}
    made_of = engine.made_of(description)
    assert made_of == ("sha256:old", "sha256:manifest")
    assert engine.is_made_of(made_of, ["sha256:index", "sha256:manifest"], content)
    assert not engine.is_made_of(made_of, ["sha256:index"], content)
    assert engine.made_of({"Image": "sha256:old"}) == ("sha256:old",)
    with_images(commands, CLASSIC, CLASSIC)
    assert engine.is_made_of(["sha256:old"], ["sha256:index"], content)
    assert not engine.is_made_of(["sha256:old"], ["sha256:index"], "other")


DOCKERFILE = "Dockerfile:2\n--------\n   2 | >>> RUN make\n--------\n"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "compose build requires buildx 0.17 or later",
            "Docker's buildx plugin is too old (compose build requires buildx 0.17 or later): install a newer one",
        ),
        (
            "Error response from daemon: client version 1.39 is too old. Minimum supported API version is 1.40, please "
            "upgrade your client to a newer version",
            "the docker command and the engine are too far apart (Error response from daemon: client version 1.39",
        ),
        (" > [internal] waiting for connection:\n------\ncontext deadline exceeded\n", "BuildKit does not answer"),
        (
            'Error response from daemon: failed to resolve reference "docker.io/moby/buildkit:buildx-stable-1": '
            'failed to do request: Head "https://registry.example/v2/moby/buildkit": no such host',
            "BuildKit does not answer (Error response from daemon: failed to resolve reference",
        ),
        (
            " > [internal] booting buildkit:\n------\nError response from daemon: failed to do request: Head "
            '"https://registry.example/v2/moby/buildkit": no such host',
            "BuildKit does not answer (Error response from daemon: failed to do request: Head",
        ),
        ('no builder "ci" found', 'BuildKit does not answer (no builder "ci" found)'),
        (
            f"{DOCKERFILE}failed to solve: base:1: failed to resolve source metadata: failed to do request: Head "
            '"https://registry.example/v2/base": dial tcp: no such host',
            "the registry does not answer (failed to solve: base:1: failed to resolve source metadata: failed to do",
        ),
        (f"{DOCKERFILE}failed to solve: base:1: docker.io/library/base:1: not found", "correct its Dockerfile"),
        (
            f'{DOCKERFILE}failed to solve: process "/bin/sh -c curl; echo failed to do request" did not complete '
            "successfully: exit code: 7",
            "correct its Dockerfile",
        ),
        ("failed to solve: dockerfile parse error on line 2: unknown instruction: COPI", "correct its Dockerfile"),
    ],
)
def test_what_keeps_an_image_from_being_built_has_its_remedy(commands, tmp_path, said, sentence):
    commands(
        "docker",
        f"""case "$*" in
        "compose version --short") echo 2.40.3;; *--no-such-option*) exit 1;;
        *) /bin/cat >&2 <<'END'\n{said}\nEND\nexit 17;; esac""",
    )
    project = Project(tmp_path, "compose", (tmp_path / "compose.yml",))
    with pytest.raises(TaskError) as error:
        engine.build_images(project, ["api", "web"])
    beginning, _, rest = str(error.value).partition("\n")
    assert beginning.startswith("the image of api does not build: ")
    assert sentence in beginning
    assert said.splitlines()[-1] in rest


@pytest.mark.parametrize(
    ("user", "environ", "socket"),
    [
        (0, {"XDG_RUNTIME_DIR": "/run/user/0"}, "unix:///run/podman/podman.sock"),
        (1000, {"XDG_RUNTIME_DIR": "/tmp/run"}, "unix:///tmp/run/podman/podman.sock"),
        (1000, {"XDG_RUNTIME_DIR": ""}, "unix:///run/user/1000/podman/podman.sock"),
    ],
)
def test_says_how_podman_is_reached_where_docker_is_missing(commands, monkeypatch, user, environ, socket):
    commands("podman", "exit 0")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    problem = engine.engine_problem()
    assert problem.startswith("the command docker is not installed, and podman is reached by it too: install Docker's ")
    assert "start it with `podman system service --time=0 &`" in problem
    assert problem.endswith(f"and `export DOCKER_HOST={socket}`")


def test_says_how_podman_is_started_that_does_not_answer(commands, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/podman/podman.sock")
    commands("docker", "echo 'Cannot connect' >&2; exit 1")
    assert engine.engine_problem() == (
        "no container engine answers (Cannot connect): start it with `podman system service --time=0 &`"
    )


def test_no_engine_problem_where_it_answers(commands):
    commands("docker", "echo linux")
    assert engine.engine_problem() is None


VERSIONS = """
case "$*" in
"compose version --short") echo 2.40.3; exit;;
*--no-such-option*) exit 1;;
version*) echo '%s'; exit;;
esac
"""


@pytest.mark.parametrize(
    ("program", "environ", "expected"),
    [
        ("Podman Engine Conmon Engine ", {}, "0"),
        ("Podman Engine Conmon Engine ", {"DOCKER_BUILDKIT": "1"}, "1"),
        ("Engine containerd runc docker-init ", {}, "unset"),
    ],
)
def test_podman_builds_without_buildkit_unless_told_to(commands, tmp_path, monkeypatch, program, environ, expected):
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    commands("docker", VERSIONS % program + f'echo "${{DOCKER_BUILDKIT-unset}}" >>{tmp_path}/said')
    engine.build_images(Project(tmp_path, "compose", (tmp_path / "compose.yml",)), ["web"])
    engine.build_image("web-coverage", "Dockerfile", ".", {})
    assert (tmp_path / "said").read_text().split() == [expected, expected]


@pytest.mark.parametrize(
    ("program", "columns"), [("Podman Engine ", "hpid,etime,args"), ("Engine containerd ", "-o pid,etime,args")]
)
def test_asks_every_engine_for_the_same_columns(commands, program, columns):
    commands("docker", VERSIONS % program + 'echo HEAD; echo "$*"')
    assert engine.processes("c1") == [f"top c1 {columns}"]


def test_podman_notes_no_signals_so_all_came_with_the_order_to_stop(commands, tmp_path):
    state = {"State": {"Status": "running", "ExitCode": 0, "OOMKilled": False}, "HostConfig": {"Memory": 0}}
    state["State"] |= {"StartedAt": "2026-11-28T20:25:44.6Z", "FinishedAt": "0001-01-01T00:00:00Z"}
    config = {"Hostname": "h", "Labels": {"com.docker.compose.service": "web"}, "StopTimeout": 0}
    found = [
        {"Id": name, "Name": f"/{name}", "Config": config, "Path": "sh", "Args": [], "RestartCount": 0, "Image": "i"}
        | {**state, "State": {**state["State"], "Status": status}}
        for name, status in (("aa", "running"), ("bb", "exited"))
    ]
    answer = f"""case "$1" in
    ps) echo aa bb;; container) echo '{json.dumps(found)}';; info) echo 2026-11-28T20:30:00Z;; events) exit 1;; esac"""
    commands("docker", VERSIONS % "Podman Engine " + answer)
    assert engine.stop("shop") == {"aa": datetime(2026, 11, 28, 20, 30, tzinfo=UTC).timestamp()}


@pytest.mark.parametrize("podman", [True, False])
def test_podman_checks_health_on_dockers_engine(commands, tmp_path, podman):
    commands("docker", VERSIONS % "Podman Engine " + "echo unix:///run/podman/podman.sock")
    if podman:
        commands("podman", f'echo "$*" >>{tmp_path}/said; while :; do :; done')
    engine.check_health("c1", 0.2)
    said = (tmp_path / "said").read_text() if podman else ""
    assert said == "--remote --url unix:///run/podman/podman.sock healthcheck run c1\n" * podman


NO_HOST = 'initializing source docker://moby/buildkit:buildx-stable-1: Get "https://registry.example/v2/": no such host'


@pytest.mark.parametrize(
    "said",
    [
        f"#2 ERROR: {NO_HOST}\n------\n > [internal] booting buildkit:\n------\n{NO_HOST}",
        f"#1 ERROR: {NO_HOST}\n------\n > [web internal] booting buildkit:\n------\n{NO_HOST}",
        f"WARNING: No output specified with docker-container driver.\nERROR: failed to build: {NO_HOST}",
        "failed to dial gRPC: unable to upgrade to h2c, received 404",
    ],
)
def test_buildkit_that_does_not_start_is_told_from_a_build_that_fails(commands, tmp_path, said):
    (tmp_path / "said").write_text(f"{said}\n")
    commands(
        "docker", VERSIONS % "Engine " + f'while IFS= read -r line; do echo "$line" >&2; done <{tmp_path}/said; exit 1'
    )
    project = Project(tmp_path, "compose", (tmp_path / "compose.yml",))
    sentence = r"does not build: BuildKit does not answer \(.*\): set DOCKER_BUILDKIT=0"
    for build in (
        lambda: engine.build_images(project, ["web"]),
        lambda: engine.build_image("web-coverage", "Dockerfile", ".", {}),
    ):
        with pytest.raises(TaskError, match=sentence):
            build()


def test_build_that_fails_after_buildkit_has_started_is_the_dockerfile_s(commands, tmp_path):
    said = "#2 [internal] booting buildkit\n#2 pulling image moby/buildkit:buildx-stable-1 done\nERROR: no such file"
    commands("docker", VERSIONS % "Engine " + f"echo '{said}' >&2; exit 1")
    project = Project(tmp_path, "compose", (tmp_path / "compose.yml",))
    with pytest.raises(TaskError, match="the image of web does not build: correct its Dockerfile"):
        engine.build_images(project, ["web"])


def test_up_and_down_name_the_same_files(commands, tmp_path):
    commands("docker", KNOWS_COMPOSE)
    project = Project(tmp_path, "compose", (tmp_path / "a.yml", tmp_path / "b.yml"))
    overlay = engine.overlay_file(project)
    overlay.parent.mkdir()
    overlay.touch()
    expected = ["docker", "compose", "-f", str(tmp_path / "a.yml"), "-f", str(tmp_path / "b.yml")]
    assert engine.base(project) == expected
    assert engine.measured(project, "shop-coverage") == [*expected, "-f", str(overlay), "-p", "shop-coverage"]


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
    project = Project(tmp_path, "compose", (tmp_path / "deploy" / "compose.yml",))
    options = [part for name in expected for part in ("--env-file", str(tmp_path / name))]
    assert engine.base(project) == ["docker", "compose", *options, "-f", str(project.files[0])]


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


def test_service_of_a_provider_has_no_image(commands, tmp_path):
    images = 'case "$*" in "compose version --short") echo 2.40.3;; *--images) echo shop-web;; *) exit 1;; esac'
    commands("docker", images)
    model = {"name": "shop", "services": {"db": {"provider": {"type": "cloud"}}, "web": {"build": "."}}}
    project = Project(tmp_path, "compose", (tmp_path / "compose.yml",))
    assert engine.image_names(project, model) == {"web": "shop-web"}
    (tmp_path / "compose.yml").write_text("services: {db: {provider: {type: cloud}}}")
    (found,) = find_services(project, {"name": "shop", "services": {"db": {"provider": {"type": "cloud"}}}})
    assert (found.measured, found.reason) == (False, PROVIDED)


def test_dollar_signs_of_the_model_are_as_in_the_container(commands, tmp_path):
    answer = "services: {orders: {environment: {PYTHONPATH: /odd$$HOME}}}"
    commands(
        "docker",
        f"""case "$*" in
        "compose version --short") echo 2.40.3;; *--no-such-option*) exit 1;; *) echo '{answer}';; esac""",
    )
    model = engine.read_model(Project(tmp_path, "compose", (tmp_path / "compose.yml",)))
    assert model["services"]["orders"]["environment"] == {"PYTHONPATH": "/odd$HOME"}
