"""The spy for each service: a copy of its own, compiled by the interpreters of its image and by no others.

Code out of an image runs in containers of that image only. What a copy holds is named here, not by the image. Copies
are kept in the user's cache, by what they are made of; the state of a run has its own, which no other run removes.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from ...errors import TaskError
from ...files import file_name
from ...injection.payload import fill_payload, needs_tracer, tracers_of
from ...injection.spy import COMPILE, bytecode_names, complete, key_of, new_copy
from ...places import cache_directory
from ...progress import Stage, say
from ...project import Project
from ...settings import is_true
from ...sources.images import Image
from ...sources.services import Service
from . import engine

LARGEST = 1 << 20  # bytes of a module's bytecode


def spy_of(project: Project, service: str) -> Path:
    """Return the spy that a service mounts: a link to the copy of its image."""
    return project.state / "spy" / file_name(service)


def prepare_spies(project: Project, services: Iterable[Service], environ: Mapping[str, str]) -> None:
    """Make a copy of the spy for every measured service, with payload and bytecode. Raise TaskError."""
    images = {service.name: service.image for service in services if service.measured and service.image}
    branch = is_true(environ.get("COVERAGE_BRANCH"))
    found = {interpreter for image in images.values() for interpreter in image.interpreters}
    fill_payload(interpreter for interpreter in found if needs_tracer(interpreter, branch))
    try:
        for name, image in images.items():
            tracers = tracers_of(image.interpreters, branch)
            _link(spy_of(project, name), _copy(project, image, key_of(image.content, tracers), tracers))
        # Also a container of a service that is not measured this time may have its copy mounted still.
        linked = {link.resolve().name for link in (project.state / "spy").glob("*")}
        for place in (project.state / "spies").glob("*") if images else ():
            if place.name not in linked:
                shutil.rmtree(place)
    except OSError as error:
        place = error.filename or project.state
        raise TaskError(f"cannot write {place} ({error.strerror}): make room there, or make it writable") from None


def _copy(project: Project, image: Image, key: str, tracers: Iterable[Path]) -> Path:
    here = project.state / "spies" / key
    cached = cache_directory() / "spies" / key
    if here.is_dir():
        return here
    try:
        if not cached.is_dir():
            with new_copy(cached, tracers) as directory:
                _compile(image, directory)
        with complete(here) as directory:
            shutil.copytree(cached, directory)
    except OSError:  # a cache that cannot be written is none; another task may have emptied it meanwhile
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
