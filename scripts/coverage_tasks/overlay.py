"""The overlay: the one compose file that turns measuring on, generated from the model and the images.

For the example it is compose/docker-compose.coverage.yml, which is in git; elsewhere it lies with the data.
"""

import os
import shlex
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from coverage_spy.settings import ON

from . import compose, mounts
from .files import ANYWHERE, read_file
from .images import Image, Interpreter
from .locks import only_build
from .names import Reset, container_names, own_names, stack_name
from .payload import fill_payload, needs_tracer
from .progress import Stage
from .project import SPY, Project, TaskError, beside, say
from .services import Service, find_services, map_service
from .sources import Repository, is_library

HEADER = """\
# Written by the task coverage-overlay, which overwrites changes. It gives the services that run Python the spy and
# a place for its data, and pins every image to the one the project runs without it.
"""
LARGEST_PYC = 1 << 24  # bytes
WAYS = ("mount", "image", "pth")
LINE = "coverage_spy.pth"
PASSED_ON = ("COVERAGE_BRANCH", "COVERAGE_OMIT", "COVERAGE_SPY_WINDOW")


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
    """Writes the overlay and everything it refers to: payload, compiled spy, derived images.

    Returns where it is. Raises TaskError when the project has no containers or the compose file cannot be read.
    """
    model, services = _services_of(project)
    file = output or compose.overlay_file(project)
    if write_overlay(project, model, services, os.environ, file) == "volume":
        say("the volumes that the overlay mounts are filled by up-coverage only")
    return file


def check_overlay(project: Project, output: Path | None = None) -> Path:
    """Compares the overlay with what make_overlay would write now, and writes neither it nor what it refers to.

    Returns where it is. Raises TaskError when it differs, and as make_overlay does.
    """
    model, services = _services_of(project)
    file = output or compose.overlay_file(project)
    option = f" -- --output {shlex.quote(str(output))}" if output else ""
    remedy = f"write it anew with `coverage-overlay{option}`"
    try:
        found = read_file(file, within=ANYWHERE)
    except OSError as error:
        raise TaskError(f"the overlay {file} cannot be read ({error.strerror}): {remedy}") from None
    if found != _text_of(project, model, services, os.environ, _kind(project, services, os.environ)).encode():
        raise TaskError(
            f"the overlay {file} is not what the compose file, the images and the settings ask for: {remedy}"
        )
    return file


def _services_of(project: Project) -> tuple[dict[str, Any], list[Service]]:
    if project.runtime != "compose":
        raise TaskError(
            "an overlay is for compose, and this project runs its Procfile: set COVERAGE_SPY_RUNTIME=compose"
        )
    compose.require_engine()
    model = compose.read_model(project)
    with only_build(model["name"]):
        return model, find_services(project, model)


def write_overlay(
    project: Project,
    model: Mapping[str, Any],
    services: Sequence[Service],
    environ: Mapping[str, str],
    output: Path | None = None,
) -> mounts.Kind:
    """As make_overlay, for services that are known already. Returns how the overlay mounts."""
    open_journals(project, (service.name for service in services if service.measured))
    kind = _kind(project, services, environ)
    way = way_of(environ)
    prepare_spy(services, environ)
    if way == "image":
        _derive_images(services, _images(model, project, services, way))
    if way == "pth":
        _write_lines(project, services, environ)
    file = output or compose.overlay_file(project)
    file.parent.mkdir(parents=True, exist_ok=True)
    with beside(file) as part:
        part.write_text(_text_of(project, model, services, environ, kind))
    return kind


def open_journals(project: Project, services: Iterable[str]) -> None:
    """Makes a directory for each service's journals, open to whatever user it runs as. Raises TaskError."""
    for name in services:
        place = project.journals_of(name)
        try:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o1777)
        except OSError as error:
            raise TaskError(f"cannot open {place} to {name} ({error.strerror}): remove it") from None


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
) -> str:
    images = _images(model, project, services, way_of(environ))
    names = own_names_of(model, stack_name(model["name"], project.root))
    return render(project, services, images, environ, names, kind)


def _images(model: Mapping[str, Any], project: Project, services: Iterable[Service], way: str) -> dict[str, str]:
    """What each service runs from: its image, or the one derived from it that holds the spy."""
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
) -> str:
    """The overlay as text.

    `images` is what each service runs from, `environ` holds the settings passed on, `names` is of own_names(),
    `kind` of mounts.choose().
    """
    repository = Repository.of_project(project)
    way = way_of(environ)
    entries: dict[str, Any] = {}
    for service in services:
        if service.measured:
            variables = {} if _is_reached(service, way) else _variables(service, repository, environ)
            entries[service.name] = {
                "image": _text(images[service.name]),
                **({"environment": {name: _text(value) for name, value in variables.items()}} if variables else {}),
                "volumes": _volumes(project, service, way, kind),
            }
        elif service.builds:
            # The default name of a built image holds the project's name, which is another one here.
            entries[service.name] = {"image": _text(images[service.name])}
    for name, entry in _quoted(names.get("services", {})).items():
        entries.setdefault(name, {}).update(entry)
    document: dict[str, Any] = {"services": entries} | {part: names[part] for part in names if part != "services"}
    if kind == "volume" and any(service.measured for service in services):
        used = [mounts.volume_of(service.name) for service in services if service.measured]
        if way != "image":
            used.insert(0, mounts.SPY_VOLUME)
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
    """own_names(), and a word about every container name that another stack has."""
    names = container_names(model)
    taken = {name: owner for name, owner in compose.owners(names).items() if owner.project != stack}
    for name, owner in taken.items():
        say(f"{owner} has a container {name}: {names[name]} is known by that name to its networks only")
    return own_names(model, taken)


def is_true(value: str | None) -> bool:
    """Whether a switch of the environment is on; the spy reads it by the same words."""
    word = (value or "").strip().lower()
    return word in ON


def prepare_spy(services: Iterable[Service], environ: Mapping[str, str]) -> None:
    """Fills the payload and compiles the spy for every interpreter that will run it."""
    found: dict[Interpreter, Image] = {}
    for service in services:
        if service.measured and service.image:
            for interpreter in service.image.interpreters:
                if interpreter.measurable:
                    found.setdefault(interpreter, service.image)
    branch = is_true(environ.get("COVERAGE_BRANCH"))
    fill_payload(interpreter for interpreter in found if needs_tracer(interpreter, branch))
    for interpreter, image in found.items():
        if not is_compiled(interpreter.version):
            with Stage(f"compiling the spy for Python {interpreter.version}", aloud=True):
                _compile(image, interpreter)
    _let_everybody_read(SPY)


def is_compiled(version: str) -> bool:
    """Whether every module of the spy has a .pyc of this Python version that belongs to its source."""
    tag = f"cpython-{version.replace('.', '')}"
    return all(_is_fresh(source, tag) for source in (*SPY.glob("*.py"), *SPY.glob("coverage_spy/*.py")))


def _is_fresh(source: Path, tag: str) -> bool:
    try:
        with (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").open("rb") as compiled:
            _magic, flags, mtime, size = struct.unpack("<4sIII", compiled.read(16))
    except (OSError, struct.error):
        return False
    status = source.stat()
    return bool(flags == 0 and mtime == int(status.st_mtime) & 0xFFFFFFFF and size == status.st_size)


def _compile(image: Image, interpreter: Interpreter) -> None:
    # A read-only mount has no place for .pyc, and compiling at every start doubles it. Copied, since the engine may not
    # see this directory, or the container's root may not be who writes here.
    options = ("--network", "none", "--user", "0:0", "--env", "PYTHONPYCACHEPREFIX=", "--env", "PYTHONPATH=")
    command = ("-m", "compileall", "-q", "/coverage-spy")
    name, platform = image.ids[0], image.platform
    try:
        with compose.made(name, *options, platform=platform, entrypoint=interpreter.path, command=command) as container:
            compose.docker("cp", f"{SPY}/.", f"{container}:/coverage-spy")
            compose.docker("start", "--attach", container)
            for path, content in compose.files_in(container, "/coverage-spy", LARGEST_PYC):
                if path.suffix == ".pyc":
                    compiled = SPY / path.relative_to("coverage-spy")
                    compiled.parent.mkdir(exist_ok=True)
                    with beside(compiled) as part:
                        part.write_bytes(content.read())
    except (TaskError, OSError) as error:
        say(f"the spy stays uncompiled for Python {interpreter.version}, services start a little slower: {error}")


def _let_everybody_read(directory: Path) -> None:
    # A service may run as any user, and the checkout may have been made under a strict umask.
    for path in (directory, *directory.rglob("*")):
        mode = path.stat().st_mode
        wanted = mode | (0o055 if path.is_dir() else 0o044)
        try:
            if wanted != mode:
                path.chmod(wanted)
        except OSError:
            raise TaskError(f"services run as other users than you: let {path} be read by all of them") from None


def way_of(environ: Mapping[str, str]) -> str:
    """How the spy gets in: one of WAYS. Raises TaskError when COVERAGE_SPY_INJECT is another word."""
    way = environ.get("COVERAGE_SPY_INJECT") or "mount"
    if way not in WAYS:
        raise TaskError(f"COVERAGE_SPY_INJECT is {way!r}: set it to mount, image or pth")
    return way


def pth_line(variables: Mapping[str, str]) -> str:
    """The line of coverage_spy.pth that carries a service's variables, which no cleared environment takes away."""
    return (SPY / LINE).read_text().replace("{}", ascii(dict(variables)), 1)


def _write_lines(project: Project, services: Iterable[Service], environ: Mapping[str, str]) -> None:
    repository = Repository.of_project(project)
    for service in services:
        if service.measured:
            file = _line_file(project, service)
            file.parent.mkdir(parents=True, exist_ok=True)
            variables = _variables(service, repository, environ)
            del variables["PYTHONPATH"]
            # In place: a container that runs has this very file mounted, and can start more processes.
            file.write_text(pth_line(variables))
            file.chmod(0o644)


def _line_file(project: Project, service: Service) -> Path:
    return project.data / "pth" / f"{service.name}.pth"


def _sites(service: Service) -> list[str]:
    """The site directories that the image fills: in a volume the engine would leave a file of ours behind."""
    assert service.image
    return [site for site in service.image.sites if not any(_is_below(site, volume) for volume in service.volumes)]


def _is_reached(service: Service, way: str) -> bool:
    """Whether the line alone reaches every interpreter of the service, so that it needs no variables."""
    sites = _sites(service)
    return way == "pth" and bool(sites) and service.image is not None and len(sites) == len(service.image.sites)


def _derive_images(services: Iterable[Service], images: Mapping[str, str]) -> None:
    for service in services:
        if service.measured and service.image:
            arguments = {"BASE_IMAGE": service.image.name}
            with Stage(f"adding the spy to the image of {service.name}", aloud=True):
                compose.build_image(
                    images[service.name], str(SPY / "Dockerfile.coverage"), str(SPY), arguments, service.image.platform
                )


def _variables(service: Service, repository: Repository, environ: Mapping[str, str]) -> dict[str, str]:
    assert service.image
    # An empty component would put the current directory on sys.path.
    python_path = [part for part in service.python_path.split(":") if part]
    # The working directory keeps code visible that has drifted as a whole, so that nothing vouches for its place.
    sources = map_service(service, repository).sources
    if service.workdir not in ("", "/") and not any(_is_below(service.workdir, source) for source in sources):
        # Installed code below it has to be named all the same: the spy leaves out libraries that are not.
        inside = [source for source in sources if _is_below(source, service.workdir)]
        covered = {source for source in inside if not is_library(source[len(service.workdir) :])}
        sources = [*(source for source in sources if source not in covered), service.workdir]
    variables = {
        "COVERAGE_ENABLE": "true",
        "COVERAGE_FILE": f"/coverage/.coverage.{service.name}",
        "COVERAGE_SOURCE": ":".join(sources),
        "PYTHONPATH": ":".join(["/coverage-spy", *python_path]),
    }
    passed_on = {name: environ[name] for name in PASSED_ON if environ.get(name)}
    return {name: value for name, value in (variables | passed_on).items() if value}


def _is_below(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")


def _volumes(project: Project, service: Service, way: str, kind: mounts.Kind) -> list[dict[str, Any]]:
    # Compose reads these as relative to the first compose file, so that no machine's paths are in the overlay.
    here = project.files[0].parent
    places = [] if way == "image" else [(SPY, mounts.SPY_VOLUME, "/coverage-spy", True)]
    places.append((project.journals_of(service.name), mounts.volume_of(service.name), "/coverage", False))
    if way == "pth":
        places += [(_line_file(project, service), "", f"{site}/{LINE}", True) for site in _sites(service)]
    return [
        mounts.in_overlay(
            kind,
            _text(volume if kind == "volume" else _dotted(os.path.relpath(directory, here))),
            _text(target),
            read_only,
        )
        for directory, volume, target, read_only in places
    ]


def _dotted(path: str) -> str:
    # Without a dot in front compose takes a name for a volume's.
    return path if path.startswith("..") else f"./{path}"


def _text(value: str) -> _Text:
    # Compose interpolates the overlay too.
    return _Text(value.replace("$", "$$"))
