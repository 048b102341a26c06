"""Which services a compose project has, which of them run Python, and what their images hold."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from coverage_spy.environment import SECOND_NAMES

from ...configuration import LEFT_OUT, Configuration, read_configuration
from ...errors import TaskError
from ...project import Project
from ...sources.dockerfile import copied_files
from ...sources.images import Image
from ...sources.repository import read_source
from ...sources.services import Service
from . import engine
from .images import inspect_image

NO_IMAGE = "its image is neither built nor pulled"
PROVIDED = "it has neither image nor build: a provider makes it, without a container of this project"


def find_services(
    project: Project, model: Mapping[str, Any], build: bool = False, obtain: bool = True
) -> list[Service]:
    """Return every service of the compose model with its image, built or pulled where it is missing; `build`: all anew.

    All are built before any is looked at, and each is looked at once. Without `obtain` a service whose image is missing
    has none. Raise TaskError when an image cannot be had, and when coverage-spy.yml names a service that there is not.
    """
    configuration = read_configuration(project.root)
    configuration.require_services(model["services"], project)
    names = engine.image_names(project, model)
    definitions = {name: definition for name, definition in model["services"].items() if name in names}
    places = {name: (names[name], platform_of(definition)) for name, definition in definitions.items()}
    if obtain:
        _obtain_images(project, definitions, places, build)
    images = {
        place: inspect_image(*place) for place in sorted({*places.values()}) if obtain or engine.find_image(*place)
    }
    return [
        _configured(_service(project, name, definition, images[places[name]]), configuration)
        if places.get(name) in images
        else Service(name, None, measured=False, reason=NO_IMAGE if name in places else PROVIDED)
        for name, definition in sorted(model["services"].items())
    ]


def platform_of(definition: Mapping[str, Any]) -> str:
    """Return the platform that a service asks for, "" when it leaves that to the engine."""
    return str(definition.get("platform") or os.environ.get("DOCKER_DEFAULT_PLATFORM") or "")


def _obtain_images(
    project: Project, definitions: Mapping[str, Any], places: Mapping[str, tuple[str, str]], build: bool
) -> None:
    """Build what is to be built, then pull what is missing: one service may build what others only name."""
    building = [name for name in sorted(definitions) if "build" in definitions[name]]
    if not build:
        building = [name for name in building if not engine.find_image(*places[name])]
    builds = {name: (*places[name], definitions[name]["build"]) for name in building}
    while building:
        # Never two at once under one name, which engines before 28 let fail; and the same build only once.
        now = {places[name][0]: name for name in reversed(building)}.values()
        engine.build_images(project, sorted(now))
        done = [builds[name] for name in now]
        building = [name for name in building if builds[name] not in done]
    for name, definition in sorted(definitions.items()):
        if "build" not in definition and not engine.find_image(*places[name]):
            engine.pull_image(project, name)
            if not engine.find_image(*places[name]):
                raise TaskError(
                    f"the image {places[name][0]} of {name} is not here, and its pull_policy keeps it from being "
                    "pulled: build it, load it, or let compose pull it"
                )


def _service(project: Project, name: str, definition: Mapping[str, Any], image: Image) -> Service:
    environment = _environment(definition, image)
    reason = _why_not(image)
    entrypoint, command = _in_force(definition, image)
    return Service(
        name=name,
        image=image,
        binds=_binds(project.root, definition),
        volumes=_volumes(definition),
        python_path=str(environment.get("PYTHONPATH", "")),
        own_variables=frozenset(environment.keys() & SECOND_NAMES.keys()),
        workdir=definition.get("working_dir") or image.workdir,
        measured=not reason,
        reason=reason,
        builds="build" in definition,
        entrypoint=entrypoint,
        command=command,
        copied=tuple(copied_files(project.root, definition.get("build"))),
    )


def _environment(definition: Mapping[str, Any], image: Image) -> dict[str, Any]:
    # A null value is a variable that the host does not set: the image's own stays in force.
    own = {name: value for name, value in (definition.get("environment") or {}).items() if value is not None}
    return {**image.environment, **own}


def _configured(service: Service, configuration: Configuration) -> Service:
    service = replace(service, sources=configuration.sources.get(service.name, ()))
    if service.name in configuration.leave_out:
        return replace(service, measured=False, reason=LEFT_OUT)
    return service


def _in_force(definition: Mapping[str, Any], image: Image) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return entrypoint and command as the engine merges them: a service's own entrypoint drops the image's command.

    An empty one drops the image's entrypoint only, and an empty command is none.
    """
    entrypoint, command = definition.get("entrypoint"), tuple(definition.get("command") or ())
    if entrypoint:
        return tuple(entrypoint), command
    return image.entrypoint if entrypoint is None else (), command or image.command


def _why_not(image: Image) -> str:
    if not image.interpreters:
        return "its image has no CPython"
    if not any(interpreter.measurable for interpreter in image.interpreters):
        versions = " and ".join(interpreter.version for interpreter in image.interpreters)
        return f"its image has only Python {versions}"
    return ""


def _binds(root: Path, definition: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for volume in definition.get("volumes") or ():
        source = Path(os.path.realpath(volume.get("source") or ""))
        if volume.get("type") != "bind" or not source.is_relative_to(root):
            continue
        if source.is_dir() or _is_source(source):
            pairs.append((str(PurePosixPath(volume["target"])), source.relative_to(root).as_posix()))
    return tuple(pairs)


def _is_source(file: Path) -> bool:
    try:
        return file.is_file() and read_source(file) is not None
    except (OSError, TaskError):
        return False


def _volumes(definition: Mapping[str, Any]) -> tuple[str, ...]:
    mounts = [volume["target"] for volume in definition.get("volumes") or ()]
    tmpfs = definition.get("tmpfs") or ()
    mounts += [tmpfs] if isinstance(tmpfs, str) else tmpfs
    return tuple(str(PurePosixPath(mount.partition(":")[0])) for mount in mounts)
