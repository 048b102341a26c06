"""The spy for each service: a copy of its own, compiled by the interpreters of its image and by no others.

Code out of an image runs in containers of that image only. What a copy holds is named here, not by the image. Copies
are kept in the user's cache, by what they are made of, and linked beside the data of a run.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...errors import TaskError
from ...files import cache_directory, file_name
from ...injection.payload import fill_payload, needs_tracer, tracer_of
from ...injection.spy import COMPILE, bytecode_names, key_of, new_copy
from ...progress import Stage, say
from ...project import Project
from ...settings import is_true
from ...sources.images import Image, Interpreter
from ...sources.services import Service
from . import engine

LARGEST = 1 << 20  # bytes of a module's bytecode


def spy_of(project: Project, service: str) -> Path:
    """Return the spy that a service mounts: a link to the copy of its image."""
    return project.data / "spy" / file_name(service)


def prepare_spies(project: Project, services: Iterable[Service], environ: Mapping[str, str]) -> None:
    """Make a copy of the spy for every measured service, with payload and bytecode. Raise TaskError."""
    measured = [service for service in services if service.measured and service.image]
    branch = is_true(environ.get("COVERAGE_BRANCH"))
    fill_payload({found for service in measured for found in _traced(service, branch)})
    used = set()
    try:
        for service in measured:
            assert service.image
            tracers = [path for found in _traced(service, branch) if (path := tracer_of(found)).is_file()]
            key = key_of(service.image.content, tracers)
            used.add(key)
            _link(spy_of(project, service.name), _copy(project, service.image, key, tracers))
        for place in (project.data / "spies").iterdir() if used else ():
            if place.name not in used and not _is_linked(project, place):
                shutil.rmtree(place)
    except OSError as error:
        raise TaskError(f"cannot write {error.filename} ({error.strerror}): make it writable, or remove it") from None


def _traced(service: Service, branch: bool) -> list[Interpreter]:
    found = service.image.interpreters if service.image else ()
    return [interpreter for interpreter in found if needs_tracer(interpreter, branch)]


def _copy(project: Project, image: Image, key: str, tracers: Iterable[Path]) -> Path:
    here = project.data / "spies" / key
    if not here.is_dir():
        cached = cache_directory() / "spies" / key
        try:
            if not cached.is_dir():
                with new_copy(cached, tracers) as directory:
                    _compile(image, directory)
            here.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(cached, here)
        except OSError:  # a cache that cannot be written is none
            with new_copy(here, tracers) as directory:
                _compile(image, directory)
    return here


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    wanted = os.path.relpath(target, link.parent)
    if not (link.is_symlink() and str(link.readlink()) == wanted):
        part = link.with_name(f".{link.name}.{os.getpid()}")
        part.symlink_to(wanted)
        part.replace(link)


def _is_linked(project: Project, place: Path) -> bool:
    """Whether a container that runs may have it mounted still: its service is measured no more, or not this time."""
    return any(link.resolve() == place.resolve() for link in (project.data / "spy").iterdir())


def _compile(image: Image, directory: Path) -> None:
    """Compile a copy of the spy with the interpreters of an image. Without it services start a little slower."""
    # A read-only mount has no place for .pyc, and compiling at every start doubles it. Copied, since the engine may not
    # see this directory, or the container's root may not be who writes here.
    options = ("--network", "none", "--user", "0:0", "--env", "PYTHONPYCACHEPREFIX=", "--env", "PYTHONPATH=")
    for interpreter in {found.version: found for found in image.interpreters if found.measurable}.values():
        expected = bytecode_names(interpreter.version)
        try:
            with (
                Stage(f"compiling the spy for Python {interpreter.version}", aloud=True),
                engine.made(
                    image.ids[0],
                    *options,
                    platform=image.platform,
                    entrypoint=interpreter.path,
                    command=(*COMPILE, "/coverage-spy"),
                ) as container,
            ):
                engine.docker("cp", f"{directory}/.", f"{container}:/coverage-spy")
                engine.docker("start", "--attach", container)
                for path, content in engine.files_in(container, "/coverage-spy", LARGEST):
                    if (name := path.relative_to("coverage-spy").as_posix()) in expected:
                        (directory / name).parent.mkdir(exist_ok=True)
                        (directory / name).write_bytes(content.read())
        except TaskError as error:
            say(f"the spy stays uncompiled for Python {interpreter.version}, services start a little slower: {error}")
