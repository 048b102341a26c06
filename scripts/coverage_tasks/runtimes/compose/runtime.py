"""The services of a compose project, in containers."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from coverage_spy.settings import FALLBACK

from ...configuration import read_configuration
from ...errors import TaskError
from ...locks import only_build
from ...progress import say
from ...project import Project
from ...recorded.sightings import KILLED, RESTARTS, SLACK, Place, Signals
from ...recorded.stack import ServiceRecord, Stack, read_stack, write_stack
from ...recorded.state import empty
from ...settings import timeout, way_of
from ...sources.repository import Repository
from ...sources.services import Service, map_service
from ...text import listed
from ..command_lines import shown
from ..ps import programs, sightings
from ..waiting import Failure, Look, say_what_is_measured
from . import engine, healthchecks, mounts, overlay, proof
from .images import record_images
from .names import stack_name
from .services import find_services
from .spies import spy_of

# How often containers are created again because somebody moved the name of an image in between.
CREATIONS = 3
UNHEALTHY = "unhealthy"
_IMPORT_ERROR = re.compile(r"^(?:ModuleNotFoundError|ImportError): .*", re.MULTILINE)


def problem() -> str:
    """Return why no engine can be used, "" when one answers."""
    return engine.engine_problem() or ""


def start(project: Project, build: bool, fresh: bool) -> None:
    """Create the containers from the images as they are, then start them."""
    engine.require_engine()
    engine.sweep()
    model = engine.read_model(project)
    name = stack_name(model["name"], project.root)
    with only_build(model["name"]):
        services, kind = _create(project, model, name, build, fresh)
    _say_what_is_old(project, services)
    say_what_is_measured({service.name: service.reason for service in services})
    say(f"the compose project is {name}")
    if kind == "volume":
        measured = [service.name for service in services if service.measured]
        mounted = [] if way_of(os.environ) == "image" else measured
        mounts.fill(name, measured, {service: spy_of(project, service).resolve() for service in mounted})
    start_what_can_be(project, name)


def start_what_can_be(project: Project, name: str, file: Path | None = None, services: Sequence[str] = ()) -> None:
    """Start the containers, or those of some services, but those that wait for one that failed.

    Compose itself begins nothing more then. Raise TaskError when they cannot be started for another reason.
    """
    try:
        with healthchecks.checked(name):
            engine.up(project, name, timeout(), file, services)
    except TaskError:
        failed = {failure.service for failure in look_at(name).failures}
        if not failed:
            raise
        left = {container.service for container in engine.containers(name) if container.state == "created"} - failed
        if left and left != {*services}:
            start_what_can_be(project, name, file, sorted(left))


def look(project: Project, stack: Stack) -> Look:
    """Look at each container once."""
    return look_at(stack.name, read_configuration(project.root).may_end)


def watched(stack: Stack) -> AbstractContextManager[None]:
    """Run the health checks where the engine runs none."""
    return healthchecks.checked(stack.name)


def remains(stack: Stack) -> bool:
    """Return whether there are containers."""
    return bool(engine.container_ids(stack.name))


def is_running(stack: Stack) -> bool:
    """Return whether there are containers. What an engine left behind that is gone is no obstacle."""
    return not engine.engine_problem() and remains(stack)


def environment(project: Project, stack: Stack) -> dict[str, str]:
    """Return what makes a plain `docker compose` speak of the stack."""
    found = {
        "COMPOSE_FILE": os.pathsep.join(map(str, (*project.files, engine.overlay_file(project)))),
        "COMPOSE_PATH_SEPARATOR": os.pathsep,
        "COMPOSE_PROJECT_NAME": stack.name,
    }
    if env_files := engine.env_files(project):
        found["COMPOSE_ENV_FILES"] = ",".join(map(str, env_files))
    return found


def fetch(project: Project, stack: Stack) -> Stack:
    """Copy the journals out of volumes, and out of containers that could not write to theirs."""
    mounts.read_back(project, stack.name, stack.measured)
    for container in engine.containers(stack.name):
        name = container.service
        if name in stack.measured and mounts.copy_journals(container.id, FALLBACK, project.journals_of(name)):
            stack = stack.having(name, fallback=True)
    return stack


def stop(project: Project, stack: Stack, collect: Callable[[Signals], None], proven: bool) -> None:
    """Stop the containers as production would, then remove them, their networks and our volumes."""
    engine.sweep()
    health = {container.id: container.health for container in engine.containers(stack.name)}
    signals = engine.stop(stack.name)
    collect(signals)
    if proven:
        proof.prove(project, stack, signals, health)
    engine.down(stack.name)
    mounts.remove(stack.name)
    engine.remove_images(f"{stack.name}-{name}" for name, service in stack.services.items() if service.derived)


def discard(stack: Stack) -> None:
    """Remove the volumes that hold its data."""
    mounts.remove(stack.name)


def places(stack: Stack, signals: Signals) -> Iterable[Place]:
    """Yield the containers."""
    for container in engine.containers(stack.name):
        running = container.state in ("running", "paused")
        ended = bool(container.started) and not running
        processes = engine.processes(container.id) if running else []
        yield Place(
            name=container.name,
            service=container.service,
            host=container.host,
            command=shown(container.command),
            started=container.started,
            exit_code=container.exit_code if ended else None,
            restarts=container.restarts,
            oom_killed=container.oom_killed,
            cut_short=ended and _was_cut_short(container, signals.get(container.id)),
            memory=container.memory,
            error=_import_error(container.id) if ended and container.exit_code else "",
            seen=tuple(sightings(processes, container.id)),
            ended=container.ended if ended else 0.0,
            told=signals.get(container.id, 0.0),
            # One that has been told to stop has none any more.
            health=container.health if running else "",
            check=container.check if running and container.health == UNHEALTHY else "",
            waited_for=container.depends_on,
            programs=tuple(programs(processes)),
            failure=container.exit_code if ended and container.id not in signals else 0,
        )


def _was_cut_short(container: engine.Container, told: float | None) -> bool:
    """Return whether SIGKILL ended it before it was told to stop, or while it had time left."""
    return container.exit_code == KILLED and (told is None or container.ended - told < container.grace - SLACK)


def _import_error(container: str) -> str:
    return next(reversed(_IMPORT_ERROR.findall(engine.logs(container))), "")


def look_at(name: str, may_end: Collection[str] = ()) -> Look:
    """Look at each container of a compose project; services of `may_end` do not fail by ending."""
    containers = engine.containers(name)
    failures = {c.service: failure for c in containers if (failure := _failure_of(c, may_end))}
    # Whoever waits for one that failed waits for ever, and so does whoever waits for that.
    for _ in containers:
        for container in containers:
            missing = [service for service in container.depends_on if service in failures]
            if container.state == "created" and missing:
                how = f"was never started: compose waited for {listed(missing)}"
                failures.setdefault(container.service, Failure(container.service, how))
    waiting = [
        f"{container.service} is {container.health or container.state}"
        for container in containers
        if container.service not in failures and not _is_ready(container, may_end)
    ]
    unchecked = sorted({c.service for c in containers if c.state == "running" and not c.health} - failures.keys())
    starts = {container.id: container.started for container in containers if container.service not in failures}
    return Look(waiting, starts, list(failures.values()), unchecked)


def _failure_of(container: engine.Container, may_end: Collection[str]) -> Failure | None:
    service = container.service
    if container.restarts >= RESTARTS and container.state == "restarting" and container.exit_code:
        how = f"was started {container.restarts + 1} times, and ended each time"
    elif container.health == UNHEALTHY:
        return Failure(service, "is unhealthy", container.check, f"the health check of {service}")
    elif service in may_end:
        return None
    elif (container.state == "exited" and container.exit_code) or container.state == "dead":
        how = f"has died (exit code {container.exit_code})"
    else:
        return None
    return Failure(service, how, engine.logs(container.id), service)


def _is_ready(container: engine.Container, may_end: Collection[str]) -> bool:
    # With `restart: always` a job that has ended well waits to be started again.
    if container.state in ("exited", "restarting"):
        return not container.exit_code or container.service in may_end
    return container.state == "running" and container.health != "starting"


def _create(
    project: Project, model: Mapping[str, Any], name: str, build: bool, fresh: bool
) -> tuple[list[Service], mounts.Kind]:
    """Create the stack's containers; they keep the images that were inspected whatever is built from then on."""
    # Containers that nobody recorded may have been mounted what is not there any more.
    recorded = read_stack(project.state)
    known = recorded and not recorded.ended
    anew = [] if known else [container.service for container in engine.containers(name)]
    for left in reversed(range(CREATIONS)):
        services = find_services(project, model, build)
        if fresh and left == CREATIONS - 1:
            empty(project)
        kind = overlay.write_overlay(project, model, services, os.environ)
        records = {service.name: _record(service) for service in services}
        write_stack(project.state, Stack("compose", name, on_host=False, services=records))
        record_images(project.state, (service.image for service in services if service.image))
        if kind == "volume" and not engine.container_ids(name):
            mounts.remove(name)
        engine.create(project, name, anew=anew)
        moved = _moved(services, name)
        anew = [service.name for service in moved]
        if not moved:
            break
        images = " and ".join(sorted({f"the image {service.image.name}" for service in moved if service.image}))
        if not left:
            raise TaskError(f"{images} was built again and again meanwhile: let one build end before another begins")
        say(f"{images} was built anew meanwhile, perhaps by another checkout: once more")
    return services, kind


def _moved(services: Sequence[Service], name: str) -> list[Service]:
    """Return those whose image name means another image than was inspected: containers were made of foreign code."""
    if way_of(os.environ) == "image":
        return []  # names of derived images are nobody else's
    built = {service.image.name for service in services if service.image and service.builds}
    expected = {s.name: s.image for s in services if s.image and s.image.name in built}
    moved = {
        container.service
        for container in engine.containers(name)
        if (image := expected.get(container.service))
        and not engine.is_made_of(container.made_of, image.ids, image.content)
    }
    return [service for service in services if service.name in moved]


def _say_what_is_old(project: Project, services: Sequence[Service]) -> None:
    repository = Repository.of_project(project)
    for service in services:
        if service.measured and service.builds and service.image:
            found = map_service(service, repository)
            matches = (found.find(path, digest) for path, digest in service.image.files.items())
            old = sorted(match.path for match in matches if match.path and match.state == "drifted")
            if old:
                more = f" and {len(old) - 1} more files are" if len(old) > 1 else " is"
                say(f"{old[0]}{more} not what the image {service.image.name} was built from: --build builds it anew")


def _record(service: Service) -> ServiceRecord:
    found = ServiceRecord(service.measured, service.reason, binds=service.binds, copied=service.copied)
    image = service.image
    if not image:
        return found
    return replace(
        found,
        interpreters=tuple(interpreter.version for interpreter in image.interpreters),
        image=image.name,
        platform=image.platform,
        content=image.content,
        ids=image.ids,
        derived=service.measured and way_of(os.environ) == "image",
    )
