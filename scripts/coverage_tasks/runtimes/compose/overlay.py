"""The overlay: the one compose file that turns measuring on, generated from the model and the images.

It lies with the state of the run. One for everybody to read, as compose/docker-compose.coverage.yml is of the example,
is written with --output.
"""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from ...errors import TaskError
from ...files import ANYWHERE, beside, file_name, read_file
from ...injection.spy import LINE, is_below, pth_line, variables_of
from ...locks import only_build
from ...progress import Stage, say
from ...project import Project
from ...recorded.state import open_journals
from ...settings import way_of
from ...sources.repository import Repository
from ...sources.services import Service
from . import engine, mounts
from .names import Reset, container_names, own_names, stack_name
from .services import find_services
from .spies import prepare_spies, spy_of

HEADER = """\
# Written by the task coverage-overlay, which overwrites changes. It gives the services that run Python the spy and
# a place for its data, and pins every image to the one the project runs without it.
"""
# Compose ends with these words where the variable is not set.
STATE = "${COVERAGE_SPY_STATE:?coverage-overlay names it}"


class _Text(str):
    """A scalar that is always quoted: compose and YAML read bare words in their own ways."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Indents lists, as people write them, writes no anchors, and knows _Text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, _data: object) -> bool:
        return True


_Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Dumper.add_representer(Reset, lambda dumper, _: dumper.represent_scalar("!reset", "null"))


def make_overlay(project: Project, output: Path | None = None) -> Path:
    """Write the overlay and everything it refers to: payload, compiled spy, derived images.

    Return where it is. Raise TaskError when the project has no containers or the compose file cannot be read.
    """
    model, services = _services_of(project)
    if write_overlay(project, model, services, os.environ, output) == "volume":
        say("the volumes that the overlay mounts are filled by up-coverage only")
    elif output:
        say(f"the overlay mounts what is in COVERAGE_SPY_STATE, here {project.state}")
    return output or engine.overlay_file(project)


def check_overlay(project: Project, output: Path | None = None) -> Path:
    """Compare the overlay with what make_overlay would write now; write neither it nor what it refers to.

    Return where it is. Raise TaskError when it differs, and as make_overlay does.
    """
    model, services = _services_of(project)
    file = output or engine.overlay_file(project)
    option = f" -- --output {shlex.quote(str(output))}" if output else ""
    remedy = f"write it anew with `coverage-overlay{option}`"
    try:
        found = read_file(file, within=ANYWHERE)
    except OSError as error:
        raise TaskError(f"the overlay {file} cannot be read ({error.strerror}): {remedy}") from None
    kind = _kind(project, services, os.environ)
    if found != _text_of(project, model, services, os.environ, kind, bool(output)).encode():
        raise TaskError(
            f"the overlay {file} is not what the compose file, the images and the settings ask for: {remedy}"
        )
    return file


def _services_of(project: Project) -> tuple[dict[str, Any], list[Service]]:
    if project.runtime != "compose":
        raise TaskError(
            "an overlay is for compose, and this project runs its Procfile: set COVERAGE_SPY_RUNTIME=compose"
        )
    engine.require_engine()
    model = engine.read_model(project)
    with only_build(model["name"]):
        return model, find_services(project, model)


def write_overlay(
    project: Project,
    model: Mapping[str, Any],
    services: Sequence[Service],
    environ: Mapping[str, str],
    output: Path | None = None,
) -> mounts.Kind:
    """Do as make_overlay does, for services that are known already. Return how the overlay mounts."""
    open_journals(project, (service.name for service in services if service.measured))
    kind = _kind(project, services, environ)
    way = way_of(environ)
    prepare_spies(project, services, environ)
    if way == "image":
        _derive_images(project, services, _images(model, project, services, way))
    if way == "pth":
        _write_lines(project, services, environ)
    file = output or engine.overlay_file(project)
    file.parent.mkdir(parents=True, exist_ok=True)
    with beside(file) as part:
        part.write_text(_text_of(project, model, services, environ, kind, bool(output)))
    return kind


def _kind(project: Project, services: Sequence[Service], environ: Mapping[str, str]) -> mounts.Kind:
    way = way_of(environ)
    kind = mounts.choose(project, services, environ)
    if way == "pth" and kind == "volume":
        raise TaskError(
            "COVERAGE_SPY_INJECT=pth mounts single files, and here everything travels in volumes: set it to mount, or "
            "to image"
        )
    return kind


def _text_of(
    project: Project,
    model: Mapping[str, Any],
    services: Sequence[Service],
    environ: Mapping[str, str],
    kind: mounts.Kind,
    portable: bool,
) -> str:
    images = _images(model, project, services, way_of(environ))
    names = own_names_of(model, stack_name(model["name"], project.root))
    return render(project, services, images, environ, names, kind, portable)


def _images(model: Mapping[str, Any], project: Project, services: Iterable[Service], way: str) -> dict[str, str]:
    """Return what each service runs from: its image, or the one derived from it that holds the spy."""
    stack = stack_name(model["name"], project.root)
    return {
        service.name: f"{stack}-{service.name}" if way == "image" and service.measured else service.image.name
        for service in services
        if service.image
    }


def render(
    project: Project,
    services: Sequence[Service],
    images: Mapping[str, str],
    environ: Mapping[str, str],
    names: Mapping[str, Any] = MappingProxyType({}),
    kind: mounts.Kind = "bind",
    portable: bool = False,
) -> str:
    """Return the overlay as text.

    `images` is what each service runs from, `environ` holds the settings passed on, `names` is of own_names(),
    `kind` of mounts.choose(). One that is `portable` names no path of this machine.
    """
    state = STATE if portable else _text(str(project.state))
    repository = Repository.of_project(project)
    way = way_of(environ)
    entries: dict[str, Any] = {}
    for service in services:
        if service.measured:
            variables = {} if _is_reached(service, way) else variables_of(service, repository, environ)
            entries[service.name] = {
                "image": _text(images[service.name]),
                **({"environment": {name: _text(value) for name, value in variables.items()}} if variables else {}),
                "volumes": _volumes(project, service, way, kind, state),
            }
        elif service.builds and service.image:
            # The default name of a built image holds the project's name, which is another one here.
            entries[service.name] = {"image": _text(images[service.name])}
    for name, entry in _quoted(names.get("services", {})).items():
        entries.setdefault(name, {}).update(entry)
    document: dict[str, Any] = {"services": entries} | {part: names[part] for part in names if part != "services"}
    if kind == "volume" and any(service.measured for service in services):
        measured = [service.name for service in services if service.measured]
        used = [mounts.volume_of(name) for name in measured]
        used += [mounts.spy_volume_of(name) for name in measured if way != "image"]
        document["volumes"] = {**names.get("volumes", {}), **dict.fromkeys(used)}
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return HEADER + text


def _quoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _quoted(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_quoted(part) for part in value]
    return _text(value) if isinstance(value, str) else value


def own_names_of(model: Mapping[str, Any], stack: str) -> dict[str, Any]:
    """Return own_names(), after a word about every container name that another stack has."""
    names = container_names(model)
    taken = {name: owner for name, owner in engine.owners(names).items() if owner.project != stack}
    for name, owner in taken.items():
        say(f"{owner} has a container {name}: {names[name]} is known by that name to its networks only")
    return own_names(model, taken)


def _write_lines(project: Project, services: Iterable[Service], environ: Mapping[str, str]) -> None:
    repository = Repository.of_project(project)
    for service in services:
        if service.measured:
            file = _line_file(project, service)
            file.parent.mkdir(parents=True, exist_ok=True)
            variables = variables_of(service, repository, environ)
            del variables["PYTHONPATH"]
            # In place: a container that runs has this very file mounted, and can start more processes.
            file.write_text(pth_line(variables))
            file.chmod(0o644)


def _line_file(project: Project, service: Service) -> Path:
    return project.state / "pth" / f"{file_name(service.name)}.pth"


def _sites(service: Service) -> list[str]:
    """Return the site directories that the image fills: in a volume the engine would leave a file of ours behind."""
    assert service.image
    return [site for site in service.image.sites if not any(is_below(site, volume) for volume in service.volumes)]


def _is_reached(service: Service, way: str) -> bool:
    """Return whether the line alone reaches every interpreter of the service, so that it needs no variables."""
    sites = _sites(service)
    return way == "pth" and bool(sites) and service.image is not None and len(sites) == len(service.image.sites)


def _derive_images(project: Project, services: Iterable[Service], images: Mapping[str, str]) -> None:
    for service in services:
        if service.measured and service.image:
            arguments = {"BASE_IMAGE": service.image.name}
            with Stage(f"adding the spy to the image of {service.name}", aloud=True):
                spy = spy_of(project, service.name).resolve()
                dockerfile = str(spy / "Dockerfile.coverage")
                engine.build_image(images[service.name], dockerfile, str(spy), arguments, service.image.platform)


def _volumes(project: Project, service: Service, way: str, kind: mounts.Kind, state: str) -> list[dict[str, Any]]:
    name = service.name
    places = [(project.journals_of(name), mounts.volume_of(name), "/coverage", False)]
    if way != "image":
        places.insert(0, (spy_of(project, name), mounts.spy_volume_of(name), "/coverage-spy", True))
    if way == "pth":
        places += [(_line_file(project, service), "", f"{site}/{LINE}", True) for site in _sites(service)]
    return [
        mounts.in_overlay(
            kind,
            _text(volume) if kind == "volume" else _Text(f"{state}/{directory.relative_to(project.state).as_posix()}"),
            _text(target),
            read_only,
        )
        for directory, volume, target, read_only in places
    ]


def _text(value: str) -> _Text:
    # Compose interpolates the overlay too.
    return _Text(value.replace("$", "$$"))
