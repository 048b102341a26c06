"""The only module that runs docker and docker compose."""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path, PurePosixPath
from secrets import token_hex
from socket import gethostname
from typing import IO, Any

import yaml

from ...errors import TaskError
from ...progress import Stage, say
from ...project import Project

ENGINE_SECONDS = 20
LONGEST_CHECK = 500  # characters of the output of a health check
# What the engine gives a container that says nothing of it, in seconds.
DEFAULT_GRACE = 10
# A tar archive that has come to its end.
EMPTY_ARCHIVE = bytes(1024)
# Where systemd runs, `systemctl start podman.socket` does too; this works without.
START_PODMAN = "start it with `podman system service --time=0 &`"
HELPER = "coverage-spy-helper"  # the label of what is made for a moment: host and process

# What compose and the engine say when a port is taken, in the versions met so far.
PORT_TAKEN = re.compile(
    r"Bind for \S*?:(\d+) failed: port is already allocated|:(\d+): bind: address already in use|"
    r"failed to bind host port (?:for )?\S*?:(\d+)[:/]\S*: address already in use"
)

# What keeps an engine from building or pulling though nothing is wrong with the image, and the remedy; told by the last
# words of compose, buildx and the engine, in the versions met so far.
OBSTACLES = (
    (r"requires buildx \S+ or later", "Docker's buildx plugin is too old ({}): install a newer one, or remove it"),
    (r"client version \S+ is too (?:old|new)", "the docker command and the engine are too far apart ({}): update one"),
    (
        r"^ > \[.*internal\] (?:booting buildkit|waiting for connection)|"
        r"(?:^ERROR:|failed to|initializing source).*moby/buildkit|^no builder .* found|"
        r"unable to upgrade to h2c",
        "BuildKit does not answer ({}): set DOCKER_BUILDKIT=0, which builds without it, or choose another builder with "
        "`docker buildx use`",
    ),
    (
        r"failed to do request|failed to fetch|Get \"https?://",
        "the registry does not answer ({}): check the network",
    ),
)
# A program of the Dockerfile's own failed, whatever it said.
_RUN_FAILED = re.compile(r"did not complete successfully|returned a non-zero code")
# A docker command older than 28, or an engine of before, takes an image for whatever platform it has.
_NO_PLATFORMS = re.compile(r"unknown flag: --platform|requires API version")


@dataclass(frozen=True)
class EngineImage:
    """An image as the engine describes it for one platform.

    `ids` are what the engine calls this build: `.Id`, and where its store keeps several platforms under one name, the
    manifest's. With containerd's store `.Id` is the digest of an index, which holds the time of the build, so that each
    build changes it. `content` is the same for the same layers, configuration and platform; labels do not count.
    """

    ids: tuple[str, ...]
    content: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Container:
    """One container of a stack, as the engine describes it; `started` is its last start, 0 when there was none.

    `check` is the last output of its health check, `depends_on` are the services that compose waited for. `grace` is in
    seconds, `memory` the limit in bytes, 0 without one. `ended` means nothing of one that runs. `made_of`
    are the engine's ids of its image, see EngineImage.
    """

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int
    host: str
    command: tuple[str, ...]
    started: float
    ended: float
    grace: int
    memory: int
    restarts: int
    oom_killed: bool
    made_of: tuple[str, ...]
    check: str
    depends_on: tuple[str, ...]


@dataclass(frozen=True)
class Owner:
    """Whose a container is: a compose project, and the directory it was started from."""

    project: str
    directory: str

    def __str__(self) -> str:
        """Return it as the subject of a sentence."""
        place = f" in {self.directory}" if self.directory else ""
        return f"the compose project {self.project}{place}" if self.project else "somebody without compose"


def engine_problem() -> str | None:
    """Return why no engine can be used, as the beginning of a sentence with its remedy; None when one answers."""
    if not shutil.which("docker"):
        return _without_docker()
    try:
        answer = _run(["docker", "version", "--format", "{{.Server.Os}}"], timeout=ENGINE_SECONDS)
    except subprocess.TimeoutExpired:
        return f"the container engine has not answered for {ENGINE_SECONDS} s: restart it"
    if answer.returncode:
        start = START_PODMAN if "podman" in os.environ.get("DOCKER_HOST", "") else "start Docker"
        return _obstacle(answer) or f"no container engine answers ({_last_line(answer.stderr)}): {start}"
    if answer.stdout.strip() == "windows":
        return "the engine runs Windows containers: switch it to Linux containers"
    return None


def _without_docker() -> str:
    problem = "the command docker is not installed"
    if not shutil.which("podman"):
        return f"{problem}: install Docker"
    run = "/run" if os.geteuid() == 0 else os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    return (
        f"{problem}, and podman is reached by it too: install Docker's client (the package docker-cli, docker-ce-cli "
        f"or docker.io) with its compose plugin, {START_PODMAN}, and "
        f"`export DOCKER_HOST=unix://{run}/podman/podman.sock`"
    )


def engine_version() -> str:
    """Return the engine's version, as it writes it."""
    return docker("version", "--format", "{{.Server.Version}}").strip()


@functools.cache
def is_podman() -> bool:
    """Return whether the engine is podman, which answers to docker in most things."""
    return "Podman" in _run(["docker", "version", "--format", "{{range .Server.Components}}{{.Name}} {{end}}"]).stdout


def compose_version() -> str:
    """Return compose's version, as it writes it."""
    return _output([*_compose_command(), "version", "--short"]).strip()


def require_engine() -> None:
    """Raise TaskError when no container engine can be used."""
    problem = engine_problem()
    if problem:
        raise TaskError(problem)


def docker(*arguments: str, given: bytes | None = None) -> str:
    """Run docker, with `given` as its stdin. Return its stdout. Raise TaskError with docker's own words."""
    return _output(["docker", *arguments], given)


def find_image(name: str, platform: str = "") -> EngineImage | None:
    """Return the image that has this name or id, for a platform such as linux/arm64; None when the engine has none."""
    answer = _run(["docker", "image", "inspect", name])
    if answer.returncode:
        return None
    (image,) = json.loads(answer.stdout)
    own = "/".join(filter(None, (image["Os"], image["Architecture"], image.get("Variant"))))
    answer = _run(["docker", "image", "inspect", "--platform", platform or own, name])
    if not answer.returncode:
        (exact,) = json.loads(answer.stdout)
    elif platform and not _NO_PLATFORMS.search(answer.stderr):
        return None
    else:
        exact = image
    ids = dict.fromkeys((image["Id"], exact["Id"]))
    return EngineImage(tuple(ids), _content_of(exact), exact.get("Config") or {})


def _content_of(image: Mapping[str, Any]) -> str:
    # Before API 1.49 what is not set is there all the same, as "", false or null.
    config = {key: value for key, value in (image.get("Config") or {}).items() if value and key != "Labels"}
    platform = [image.get(key) for key in ("Os", "Architecture", "Variant")]
    return sha256(json.dumps([image["RootFS"].get("Layers"), config, platform], sort_keys=True).encode()).hexdigest()


def made_of(description: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the image that a container was made of."""
    # An engine before 28 names no manifest.
    manifest = (description.get("ImageManifestDescriptor") or {}).get("digest", "")
    return tuple(filter(None, (description["Image"], manifest)))


def is_made_of(ids: Iterable[str], known: Collection[str], content: str) -> bool:
    """Return whether a container of the image `ids` has what was `known` by other ids perhaps, and holds `content`."""
    return any(each in known or ((found := find_image(each)) and found.content == content) for each in ids)


def volumes(stack: str) -> list[str]:
    """Return the names of the volumes that compose made for the project `stack`."""
    return docker("volume", "ls", "--quiet", "--filter", f"label=com.docker.compose.project={stack}").split()


@functools.cache
def _info() -> Mapping[str, Any]:
    fields = (f'"{field}": {{{{json .{field}}}}}' for field in ("SecurityOptions", "Name", "KernelVersion"))
    found: dict[str, Any] = json.loads(docker("info", "--format", f"{{{', '.join(fields)}}}"))
    return found


def has_selinux() -> bool:
    """Return whether the engine's host keeps containers from files that have no label for them."""
    return "name=selinux" in (_info()["SecurityOptions"] or ())


def is_here() -> bool:
    """Return whether the engine runs beside this process, on the kernel and under the name of this machine.

    In a virtual machine of Docker Desktop's it has another name, and in WSL the same kernel.
    """
    here = os.uname()
    return (_info()["Name"], _info()["KernelVersion"]) == (here.nodename, here.release)


@contextmanager
def made(
    image: str, *options: str, platform: str = "", entrypoint: str = "/never-run", command: Sequence[str] = ()
) -> Iterator[str]:
    """Return the name of a container that is not started; an image may have neither entrypoint nor command."""
    name = f"coverage-spy-helper-{token_hex(8)}"
    if platform:
        options = ("--platform", platform, *options)
    try:
        # Named beforehand: whatever interrupts this, it is known what to remove.
        ours = ("--name", name, "--label", f"{HELPER}={_this_process()}", "--pull", "never")
        docker("create", *ours, "--entrypoint", entrypoint, *options, image, *command)
        yield name
    finally:
        _run(["docker", "rm", "--force", "--volumes", name], apart=True)


@contextmanager
def empty_container(*options: str) -> Iterator[str]:
    """Return the name of a container with nothing in it, for what `options` mount; it needs no image of anybody's."""
    name = f"coverage-spy-helper:{token_hex(8)}"
    try:
        docker("import", "--change", f"LABEL {HELPER}={_this_process()}", "-", name, given=EMPTY_ARCHIVE)
        with made(name, *options) as container:
            yield container
    finally:
        _run(["docker", "image", "rm", "--force", name], apart=True)


def sweep() -> None:
    """Remove what processes of this host that are gone, killed perhaps, have left of their helpers."""
    label = ("--filter", f"label={HELPER}", "--format")
    for kind, known, shown in (
        ("container", ("ps", "--all"), "{{.Names}}"),
        ("image", ("image", "ls"), "{{.Repository}}:{{.Tag}}"),
    ):
        for name in docker(*known, *label, shown).split():
            owner = _run(["docker", kind, "inspect", "--format", f'{{{{index .Config.Labels "{HELPER}"}}}}', name])
            host, _, pid = owner.stdout.strip().rpartition(":")
            if host == gethostname() and pid.isdigit() and not _is_alive(int(pid)):
                _run(["docker", kind, "rm", "--force", name])


def _this_process() -> str:
    return f"{gethostname()}:{os.getpid()}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def files_in(container: str, path: str, largest: int = 1 << 40) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """Yield the regular files in a directory of a container, or the one file, with content; none of nothing.

    End, and say so, at one of more than `largest` bytes: what lies behind it can't be reached without reading it.
    """
    with docker_stream("cp", f"{container}:{path}", "-") as stream:
        try:
            archive = tarfile.open(fileobj=stream, mode="r|")  # noqa: SIM115 - has nothing of its own to close
        except tarfile.ReadError:
            return  # no such directory
        for member in archive:
            if member.size > largest:
                say(f"{member.name!a} in {path} of a container has {member.size} bytes: nothing behind it is copied")
                return
            content = archive.extractfile(member) if member.isreg() else None
            if content:
                yield PurePosixPath(member.name), content


@contextmanager
def docker_stream(*arguments: str) -> Iterator[IO[bytes]]:
    """Return the stdout of a docker command while it runs, for tar streams. Stopped when the reader leaves early."""
    with subprocess.Popen(["docker", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        try:
            yield process.stdout
        finally:
            process.kill()


def base(project: Project) -> list[str]:
    """Return the compose command for the project as production runs it."""
    named = (("--env-file", env_files(project)), ("-f", project.files))
    return [*_compose_command(), *(part for option, files in named for file in files for part in (option, str(file)))]


def env_files(project: Project) -> list[Path]:
    """Return the .env files, when compose would not find them by itself: the last one wins.

    It reads the one where it is called, then the one beside the first compose file; with -f only the latter.
    """
    beside, called = project.files[0].parent / ".env", project.root / ".env"
    told = os.environ.get("COMPOSE_ENV_FILES") or os.environ.get("COMPOSE_DISABLE_ENV_FILE")
    if told or beside == called or not called.is_file():
        return []
    return [*([beside] if beside.is_file() else []), called]


def has_compose() -> bool:
    """Return whether compose is installed, and can be asked."""
    try:
        return bool(_compose_command())
    except TaskError:
        return False


def read_environment(root: Path) -> dict[str, str]:
    """Return the variables that compose knows in `root`, with those of its .env files; it needs no engine for that."""
    command = [*_compose_command(), "--project-directory", str(root), "-f", "-", "config", "--environment"]
    answer = _run(command, given=b"services: {none: {image: none}}")
    if answer.returncode:
        raise TaskError(f"compose cannot read its .env, correct it: {_last_line(answer.stderr)}")
    # A value may have several lines; those that matter have one.
    pairs = (line.partition("=") for line in answer.stdout.splitlines() if line.startswith("COMPOSE_"))
    return {name: value for name, _, value in pairs}


def measured(project: Project, name: str, overlay: Path | None = None) -> list[str]:
    """Return the compose command for the stack `name`, the same for up, ps and down, or containers stay behind."""
    overlay = overlay or overlay_file(project)
    return [*base(project), *(("-f", str(overlay)) if overlay.is_file() else ()), "-p", name]


def overlay_file(project: Project) -> Path:
    """Where the overlay of a run is written."""
    return project.state / "docker-compose.coverage.yml"


def render(project: Project, name: str, with_overlay: bool) -> dict[str, Any]:
    """Return the resolved model of the stack `name`, with the overlay and without."""
    command = measured(project, name) if with_overlay else [*base(project), "-p", name]
    model: dict[str, Any] = yaml.safe_load(_output([*command, "config"]))
    return model


def read_model(project: Project) -> dict[str, Any]:
    """Return the resolved compose model. The YAML form, because the JSON one drops service-level `x-*` keys."""
    answer = _run([*base(project), "config"])
    if answer.returncode:
        names = ", ".join(os.path.relpath(file, project.root) for file in project.files)
        raise TaskError(f"compose cannot read {names}, correct it: {_last_line(answer.stderr)}")
    # Compose doubles every dollar sign of this output, so that it can be read as a compose file again.
    try:
        model: dict[str, Any] = yaml.safe_load(answer.stdout.replace("$$", "$"))
    except RecursionError:
        raise TaskError(f"{project.files[0]} is nested too deeply: correct it") from None
    if not model.get("services"):
        raise TaskError(f"{project.files[0]} defines no service that is active: check COMPOSE_PROFILES")
    return model


def image_names(project: Project, model: Mapping[str, Any]) -> dict[str, str]:
    """Service name -> the image that the base project runs it from; not of those that run from none."""
    known = set(_output([*base(project), "config", "--images"]).split())
    names = {}
    for service, definition in model["services"].items():
        if not runs_image(definition):
            continue
        # Underscores are compose's compatibility mode.
        default = next(
            (n for s in "-_" if (n := f"{model['name']}{s}{service}") in known), f"{model['name']}-{service}"
        )
        names[service] = definition.get("image") or default
    return names


def runs_image(definition: Mapping[str, Any]) -> bool:
    """Return whether a service is containers of an image: one with a `provider` is what that program makes of it."""
    return "image" in definition or "build" in definition


def remove_images(names: Iterable[str]) -> None:
    """Remove images by their names, those that are there."""
    for name in names:
        _run(["docker", "image", "rm", "--force", name])


def _engine_time() -> float:
    return datetime.fromisoformat(docker("info", "--format", "{{.SystemTime}}").strip()).timestamp()


def build_images(project: Project, services: Sequence[str]) -> None:
    """Build the images of services, under the base project. Their output is shown only when they fail."""
    with Stage(f"building the {'images' if services[1:] else 'image'} of {', '.join(services)}", aloud=True):
        answer = _run([*base(project), "build", *services], environ=_for_builds())
    if answer.returncode and services[1:]:
        for service in services:
            build_images(project, [service])  # says whose it is; what is built already comes from the cache
    elif answer.returncode:
        why = _obstacle(answer) or "correct its Dockerfile"
        raise TaskError(f"the image of {services[0]} does not build: {why}\n{_output_of(answer)}")


def pull_image(project: Project, service: str) -> None:
    """Pull the image of a service. Raise TaskError when that does not work."""
    with Stage(f"pulling the image of {service}", aloud=True):
        answer = _run([*base(project), "pull", "--quiet", service])
    if answer.returncode:
        why = _obstacle(answer) or _last_line(answer.stderr)
        raise TaskError(
            f"the image of {service} is neither here nor can it be pulled: {why}; build it, or correct its name"
        )


def build_image(tag: str, dockerfile: str, context: str, arguments: Mapping[str, str], platform: str = "") -> None:
    """Build one image from a directory. Raise TaskError with the build's output."""
    options = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
    options += ["--platform", platform] if platform else []
    command = ["docker", "build", "--quiet", "--tag", tag, "--file", dockerfile, *options, context]
    answer = _run(command, environ=_for_builds())
    if answer.returncode:
        why = _obstacle(answer) or "see below"
        raise TaskError(f"the image {tag} with the spy does not build: {why}\n{_output_of(answer)}")


def _for_builds() -> dict[str, str]:
    """Return the environment of a build: podman builds by itself, BuildKit as a container would see no local image."""
    return ({"DOCKER_BUILDKIT": "0"} if is_podman() else {}) | os.environ


def create(project: Project, name: str, overlay: Path | None = None, anew: Sequence[str] = ()) -> None:
    """Make the containers, networks and volumes of the measured stack, those of services `anew` in any case.

    Start nothing. Raise TaskError with compose's words.
    """
    command = [*measured(project, name, overlay), "up", "--no-start", "--no-build"]
    with Stage("creating the containers"):
        answer = _run(command)
        if anew and not answer.returncode:
            answer = _run([*command, "--force-recreate", "--no-deps", *anew])
    if answer.returncode:
        why = _obstacle(answer) or f"{_last_line(answer.stderr)}; correct this and start again"
        raise TaskError(f"the services cannot be created: {why}")


def up(project: Project, name: str, timeout: float, overlay: Path | None = None, services: Sequence[str] = ()) -> None:
    """Start the containers that create() made, those of some `services` and what they depend on, or all.

    Raise TaskError: with the port when one is taken, else as compose.
    """
    command = [*measured(project, name, overlay), "up", "--detach", "--no-build", "--no-recreate"]
    command += services
    try:
        with Stage("starting the containers"):
            answer = _run(command, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise TaskError(
            f"the services have not started within {timeout:g} s: raise COVERAGE_SPY_TIMEOUT, or see "
            f"`docker compose -p {name} logs`"
        ) from None
    if not answer.returncode:
        return
    taken = PORT_TAKEN.search(answer.stderr)
    if taken:
        raise TaskError(_who_listens(next(group for group in taken.groups() if group)))
    raise TaskError(f"the services do not start: {_last_line(answer.stderr)}; correct this and start again")


def container_ids(name: str) -> list[str]:
    """Return every container of the project `name`, the finished ones too; whatever the compose files say by now."""
    return docker("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={name}").split()


def describe(name: str) -> list[dict[str, Any]]:
    """Return what the engine says about every service's container, in the order of their names, but none of `run`."""
    identifiers = container_ids(name)
    if not identifiers:
        return []
    # One that has just gone makes docker fail and describe the others all the same.
    found = json.loads(_run(["docker", "container", "inspect", *identifiers]).stdout)
    return [
        container
        for container in sorted(found, key=lambda container: str(container["Name"]))
        if container["Config"]["Labels"].get("com.docker.compose.oneoff") != "True"
    ]


def containers(name: str) -> list[Container]:
    """Return the state of every service's container. Those of `docker compose run` do not count."""
    return [
        Container(
            id=container["Id"],
            name=container["Name"].lstrip("/"),
            service=container["Config"]["Labels"]["com.docker.compose.service"],
            state=container["State"]["Status"],
            health=container["State"].get("Health", {}).get("Status", ""),
            exit_code=container["State"]["ExitCode"],
            host=container["Config"]["Hostname"],
            command=(container["Path"], *container["Args"]),
            started=max(datetime.fromisoformat(container["State"]["StartedAt"]).timestamp(), 0),
            ended=max(datetime.fromisoformat(container["State"]["FinishedAt"]).timestamp(), 0),
            grace=container["Config"].get("StopTimeout", DEFAULT_GRACE),
            memory=container["HostConfig"]["Memory"],
            restarts=container["RestartCount"],
            oom_killed=container["State"]["OOMKilled"],
            made_of=made_of(container),
            check=_last_check(container["State"].get("Health") or {}),
            depends_on=_depends_on(container["Config"]["Labels"]),
        )
        for container in describe(name)
    ]


def _last_check(health: Mapping[str, Any]) -> str:
    log = health.get("Log") or ()
    return str(log[-1].get("Output") or "").strip()[:LONGEST_CHECK] if log else ""


def _depends_on(labels: Mapping[str, str]) -> tuple[str, ...]:
    # As compose writes it: job:service_completed_successfully:false,db:service_healthy:true
    listed = labels.get("com.docker.compose.depends_on", "")
    return tuple(entry.split(":")[0] for entry in listed.split(",") if entry)


def check_health(container: str, timeout: float) -> None:
    """Run the health check of one of podman's containers once, if the command podman is here to do it."""
    host = _run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]).stdout.strip()
    if shutil.which("podman"):
        with suppress(subprocess.TimeoutExpired):
            _run(["podman", "--remote", "--url", host, "healthcheck", "run", container], timeout)


def processes(container: str) -> list[str]:
    """Return the lines of `ps -o pid,etime,args` about a container's processes; none where the engine lists none."""
    # Podman has names of its own for the columns, and for anything else runs the ps of the image, if there is one.
    columns = ("hpid,etime,args",) if is_podman() else ("-o", "pid,etime,args")
    return _run(["docker", "top", container, *columns]).stdout.splitlines()[1:]


def owners(names: Iterable[str]) -> dict[str, Owner]:
    """Return container name -> whose it is, for those of `names` that the engine has."""
    wanted = sorted(names)
    if not wanted:
        return {}
    # One that isn't there makes docker fail and describe the others all the same.
    found = json.loads(_run(["docker", "container", "inspect", *wanted]).stdout or "[]")
    owners = {container["Name"].lstrip("/"): _owner(container["Config"]["Labels"] or {}) for container in found}
    return {name: owners[name] for name in wanted if name in owners}


def _owner(labels: Mapping[str, str]) -> Owner:
    label = "com.docker.compose.project"
    return Owner(labels.get(label, ""), labels.get(f"{label}.working_dir", ""))


def _who_listens(port: str) -> str:
    """Return the sentence about a port that is taken."""
    names = _run(["docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}"]).stdout.split()
    for name, owner in owners(names).items():
        return (
            f"port {port} is taken by the container {name} of {owner}: stop that, or let a variable set the port in "
            "the compose file, since a machine has each port only once"
        )
    return f"port {port} is taken: stop what listens there"


def logs(container: str, lines: int = 50) -> str:
    """Return the last lines that a container wrote."""
    return _output_of(_run(["docker", "logs", "--tail", str(lines), container]))


def by_label(name: str) -> list[str]:
    """Return the compose command for a project that has containers, whatever has become of its files.

    Compose finds services and their order in the containers' labels; in the root directory it finds no files.
    """
    return [*_compose_command(), "--project-directory", "/", "-p", name]


def stop(name: str) -> dict[str, float]:
    """Stop the containers the way production would: SIGTERM, then the service's own grace period.

    Return when each container that still ran got its first signal, by the engine's clock. Podman notes no signals:
    there it is when compose was told to stop them all.
    """
    ran = [container.id for container in containers(name) if container.state == "running"] if is_podman() else []
    since = _engine_time()
    _output([*by_label(name), "stop"], environ=_without_files())
    if ran:
        return dict.fromkeys(ran, since)
    # Without an end docker waits for more of them.
    window = ("--since", f"{since:.9f}", "--until", f"{_engine_time():.9f}")
    which = ("--filter", "event=kill", "--filter", f"label=com.docker.compose.project={name}")
    signals: dict[str, float] = {}
    for line in _run(["docker", "events", *window, *which, "--format", "{{json .}}"]).stdout.splitlines():
        event = json.loads(line)
        signals.setdefault(event["Actor"]["ID"], event["timeNano"] / 1e9)
    return signals


def down(name: str) -> None:
    """Remove the containers and networks of the compose project `name`; volumes with a name stay.

    Those without one go with their stopped containers: nobody finds them again, and the image of a database makes one
    for every container.
    """
    _output([*by_label(name), "rm", "--force", "--volumes"], environ=_without_files())
    _output([*by_label(name), "down", "--remove-orphans"], environ=_without_files())


def remove_volumes(name: str) -> None:
    """Remove every volume of the compose project `name`."""
    for volume in volumes(name):
        docker("volume", "rm", volume)


def _without_files() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in ("COMPOSE_FILE", "COMPOSE_ENV_FILES")}


@functools.cache
def _compose_command() -> tuple[str, ...]:
    for command in (("docker", "compose"), ("docker-compose",)):
        if not shutil.which(command[0]):
            continue
        answer = _run([*command, "version", "--short"])
        if answer.returncode or answer.stdout.startswith("1."):
            continue
        # A wheel on PyPI installs a wrapper that ends with 0 whatever compose says.
        if _run([*command, "--no-such-option"]).returncode:
            return command
    raise TaskError("docker compose is not installed: install Docker's compose plugin, version 2.40 or newer")


def _run(
    command: Sequence[str],
    timeout: float | None = None,
    given: bytes | None = None,
    environ: Mapping[str, str] | None = None,
    apart: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run it. `apart`: Ctrl-C does not reach it; so it is with all while the process itself does not hear it."""
    apart = apart or signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    answer = subprocess.run(
        command,
        capture_output=True,
        timeout=timeout,
        input=given or b"",
        check=False,
        env=environ,
        start_new_session=apart,
    )
    out, err = (text.decode(errors="replace") for text in (answer.stdout, answer.stderr))
    return subprocess.CompletedProcess(command, answer.returncode, out, err)


def _output(command: Sequence[str], given: bytes | None = None, environ: Mapping[str, str] | None = None) -> str:
    try:
        answer = _run(command, given=given, environ=environ)
    except FileNotFoundError:
        raise TaskError(f"the command {command[0]} is not installed: install Docker") from None
    if answer.returncode:
        raise TaskError(engine_problem() or f"`{_words(command)}` failed: {_last_line(answer.stderr)}")
    return answer.stdout


def _words(command: Sequence[str]) -> str:
    return " ".join(os.path.relpath(word) if word.startswith("/") else word for word in command)


def _obstacle(answer: subprocess.CompletedProcess[str]) -> str:
    """Return the sentence about what has nothing to do with the image, "" when it may be the image's own fault."""
    lines = [line for line in answer.stderr.splitlines() if line.strip()]
    if not lines or _RUN_FAILED.search(lines[-1]):
        return ""
    said = "\n".join(lines[-3:])
    remedies = (remedy for pattern, remedy in OBSTACLES if re.search(pattern, said, re.MULTILINE))
    return next(remedies, "").format(lines[-1].strip())


def _output_of(answer: subprocess.CompletedProcess[str]) -> str:
    return (answer.stdout + answer.stderr).rstrip()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
