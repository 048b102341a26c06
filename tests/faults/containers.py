"""Runs a situation as containers: starts them, does its steps, and leaves nothing of them behind.

The application, the data and what a column needs are mounted where they are on the host, so that columns need not know
of containers. A situation's table `image` says what else there is; a Dockerfile beside app.py, given the base image as
the argument BASE, makes an image of its own. A signal's `send` may also be a command of docker with its options, such
as "stop --time 1", and its `to` the number of one replica.
"""

import io
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from machine import INTERPRETERS, ROOT
from processes import Outcome, Stage
from situation import Signal, Situation

from coverage_spy.settings import FALLBACK
from coverage_tasks.runtimes.compose.mounts import copy_journals

LABEL = "coverage-spy-faults"


@dataclass(frozen=True)
class Image:
    """The keys of `image`.

    options: of `docker run`. replicas: how many containers. data: how the data directory is there, one of "writable",
    "closed" (only root may write), "read-only", "missing", and "64k", which is all that fits in. site: where packages,
    coverage.py among them, can be installed; "" when nowhere. interpreters: other Pythons of this machine that are in
    the container, each under the path that a variable such as PYTHON27 names.
    """

    options: tuple[str, ...] = ()
    replicas: int = 1
    data: str = "writable"
    site: str = "/usr/local/lib/python{version}/site-packages"
    interpreters: tuple[str, ...] = ()


def run(situation: Situation, stage: Stage, added: dict[str, str]) -> Outcome:
    """Run a situation to its end, with `added` variables set. Raises ValueError for one that needs a network."""
    if situation.requests or situation.helpers:
        raise ValueError(f"{situation.name}: containers have no network, so neither requests nor helpers reach them")
    description = Image(**situation.image)
    with built(situation, stage) as name, volume(description, stage, name) as data:
        options = [
            *("--detach", "--label", f"{LABEL}={stage.directory}", "--hostname", "service", "--network", "none"),
            *("--workdir", str(stage.work)),
            *(part for mount in (*mounts(description, stage, added), *data) for part in ("--volume", mount)),
            *(part for pair in variables(description, situation, added) for part in ("--env", pair)),
            *description.options,
        ]
        containers: list[str] = []
        try:
            for _ in range(description.replicas):
                containers.append(docker("run", *options, name, *situation.command).strip())
            deadline = time.monotonic() + situation.limit
            told = [do(step, containers, deadline) for step in situation.signals]
            return finish(containers, stage, max(told, default=0.0), deadline)
        finally:
            if containers:
                docker("rm", "--force", "--volumes", *containers)


def do(step: Signal, containers: list[str], deadline: float) -> float:
    """Send a signal, or do what docker can do to a container, when it is time to; return when that was."""
    chosen = [containers[int(step.to)]] if step.to else containers
    if isinstance(step.after, str):
        while not all(step.after in "".join(logs(container)) for container in chosen):
            if time.monotonic() > deadline or not any(running(container) for container in chosen):
                break
            time.sleep(0.05)
        time.sleep(step.idle)
    else:
        time.sleep(step.after)
    command = ("kill", "--signal", step.send) if step.send.startswith("SIG") else step.send.split()
    begin = time.time()
    # The engine refuses to signal a container that has ended; what it shows then is compared like anything else.
    subprocess.run(["docker", *command, *chosen], capture_output=True)
    return begin


def finish(containers: list[str], stage: Stage, told: float, deadline: float) -> Outcome:
    """Wait for the end, and collect what the containers show and what they could write nowhere but inside."""
    while any(running(container) for container in containers) and time.monotonic() < deadline:
        time.sleep(0.05)
    hanging = any(running(container) for container in containers)
    if hanging:
        docker("kill", *containers)
    states = [docker("inspect", "--format", "{{.State.ExitCode}} {{.State.FinishedAt}}", c).split() for c in containers]
    out, err = ("".join(texts) for texts in zip(*map(logs, containers), strict=True))
    end = max(datetime.fromisoformat(finished[:26].rstrip("Z") + "+00:00").timestamp() for _, finished in states)
    if stage.data.exists():
        for container in containers:
            copy_journals(container, FALLBACK, stage.data)
    code = None if hanging else max(int(code) for code, _ in states)
    return Outcome(code, out, err, [], end - told if told else 0.0)


def mounts(description: Image, stage: Stage, added: Mapping[str, str]) -> Iterator[str]:
    """Yield docker's form of every mount but the data's."""
    yield f"{stage.work}:{stage.work}:ro"
    for path in stage.directory.iterdir():
        if path not in (stage.work, stage.data):
            yield f"{path}:{path}:ro"
    for value in added.values():
        for part in filter(os.path.isabs, value.split(":")):
            if Path(part).is_dir() and not Path(part).is_relative_to(stage.directory):
                yield f"{part}:{part}:ro"
    if description.site and any(stage.site.iterdir()):
        yield f"{stage.site}:{description.site.replace('{version}', stage.version)}:ro"
    for version in description.interpreters:
        prefix = Path(INTERPRETERS[version]).parents[1]
        yield f"{prefix}:{prefix}:ro"


@contextmanager
def volume(description: Image, stage: Stage, image: str) -> Iterator[list[str]]:
    """Yield the data's mount, in a list that is empty when there is none."""
    if description.data == "64k" and stage.data.exists():
        with small_volume(stage, image) as name:
            yield [f"{name}:{stage.data}"]
    elif description.data == "missing" or not stage.data.exists():
        yield []
    else:
        if description.data == "closed":
            stage.data.chmod(0o755)
        yield [f"{stage.data}:{stage.data}" + ":ro" * (description.data == "read-only")]


@contextmanager
def small_volume(stage: Stage, image: str) -> Iterator[str]:
    """Yield a volume of 64 kB. Its content goes with the last container that uses it, so one idles meanwhile."""
    options = ("type=tmpfs", "device=tmpfs", "o=size=64k,mode=1777")
    name = docker("volume", "create", *(part for option in options for part in ("--opt", option))).strip()
    keeper = ""
    try:
        idle = ("--entrypoint", "sleep", "--label", f"{LABEL}={stage.directory}", "--volume", f"{name}:{stage.data}")
        keeper = docker("run", "--detach", *idle, image, "infinity").strip()
        yield name
        packed = subprocess.run(
            ["docker", "exec", keeper, "tar", "-C", str(stage.data), "-c", "."], stdout=subprocess.PIPE, check=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(stage.data, filter="data")
    finally:
        docker("rm", "--force", *filter(None, [keeper]))
        docker("volume", "rm", name)


@cache
def obtain_base(version: str) -> None:
    """Have the base image of a Python: the engine's, the registry's, or a stand-in. Raises CalledProcessError."""
    subprocess.run([str(ROOT / ".ci" / "base-images"), version], check=True)


@contextmanager
def built(situation: Situation, stage: Stage) -> Iterator[str]:
    """Yield the image's name: the situation's own when it has a Dockerfile, else the base."""
    base = f"python:{stage.version}-slim"
    if not (stage.work / "Dockerfile").exists():
        yield base
        return
    name = f"{LABEL}:{stage.directory.name}".lower()
    docker("build", "--quiet", "--build-arg", f"BASE={base}", "--tag", name, str(stage.work))
    try:
        yield name
    finally:
        docker("rmi", "--force", name)


def variables(description: Image, situation: Situation, added: Mapping[str, str]) -> Iterator[str]:
    """Yield NAME=value of everything that is set besides the image's own variables."""
    yield from (f"{name}={value}" for name, value in {**situation.environment, **added}.items())
    for version in description.interpreters:
        yield f"PYTHON{version.replace('.', '')}={INTERPRETERS[version]}"


def running(container: str) -> bool:
    """Whether a container has not ended; a paused one has not."""
    return docker("inspect", "--format", "{{.State.Running}}", container).strip() == "true"


def logs(container: str) -> tuple[str, str]:
    """Return what a container has written to stdout and to stderr."""
    answer = subprocess.run(["docker", "logs", container], capture_output=True, text=True, errors="backslashreplace")
    return answer.stdout, answer.stderr


def docker(*arguments: str) -> str:
    """Run docker and return its stdout. Raises RuntimeError with its own words."""
    answer = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    if answer.returncode:
        raise RuntimeError(f"docker {arguments[0]}: {answer.stderr.strip()}")
    return answer.stdout
