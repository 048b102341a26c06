"""Which services a project has, which of them run Python, and what their images hold."""

import json
import os
import re
import tarfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from . import compose
from .configuration import LEFT_OUT, Configuration, read_configuration
from .dockerfile import copied_files
from .election import map_sources
from .progress import Stage, advance
from .project import Project
from .sources import (
    SHEBANG_LENGTH,
    Digest,
    Filesystem,
    Links,
    Repository,
    SourceMap,
    digest_of,
    is_python,
    read_source,
)

OLDEST = (3, 8)

_EXECUTABLE = re.compile(r"(?P<prefix>.*)/bin/python(?P<version>\d+\.\d+)t?")
_EXTENSION = re.compile(
    r"(?P<prefix>.*)/lib\d*/python(?P<version>\d+\.\d+)t?/lib-dynload/[^/.]+(?P<suffix>\.cpython-[^/]+\.so)"
)
# What a build with all extension modules inside the executable has, as those that uv installs: lib-dynload is empty.
_CONFIGURATION = re.compile(
    r"(?P<prefix>.*)/lib\d*/python(?P<version>(?P<major>\d+)\.(?P<minor>\d+))t?/"
    r"_sysconfigdata_(?P<flags>\w*)_linux_(?P<platform>[\w-]+)\.py"
)
_SITE = re.compile(r"(?P<prefix>.*)/lib\d*/python(?P<version>\d+(\.\d+)?)t?/(site|dist)-packages")
_COVERAGE = re.compile(r".*/(site|dist)-packages/coverage-(?P<version>\d[^/-]*)(-py[^/]+)?\.(dist|egg)-info(/.*)?")
_CUSTOMIZATION = re.compile(r".*/(site|user)customize(/__init__)?\.py")
_SHEBANG = re.compile(rb"#!.*(python|/env\b)")
# Debian keeps its packages in lib/python3, so every version is the standard library but for these two directories.
_STANDARD_LIBRARY = re.compile(r"/lib\d*/(python|pypy)\d+(\.\d+)?t?/(?!site-packages/|dist-packages/)")


@dataclass(frozen=True)
class Interpreter:
    """A CPython of an image; `suffix` is its EXTENSION_SUFFIXES[0], which names version, platform and libc."""

    path: str
    version: str
    suffix: str
    libc: str = "glibc"

    @property
    def measurable(self) -> bool:
        """Whether the spy has an engine for it."""
        return tuple(map(int, self.version.split("."))) >= OLDEST


@dataclass(frozen=True)
class Image:
    """What an image says and holds: `files` are its *.py outside the standard library.

    `sites` are the directories in which its interpreters, and the virtual environments of these, look for *.pth,
    `customizations` every sitecustomize and usercustomize wherever it lies, `coverage` the version of coverage.py that
    is installed, `shebangs` the first lines of executable scripts that name python or env: path -> line. `links` are
    the symbolic links that lead to `files` or above them: path -> path without a link in it.
    """

    id: str
    name: str
    environment: Mapping[str, str]
    workdir: str
    user: str
    interpreters: tuple[Interpreter, ...]
    files: Mapping[str, Digest]
    sites: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    stop_signal: str = ""
    customizations: tuple[str, ...] = ()
    coverage: str = ""
    shebangs: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """One service of the compose model.

    `binds` are (container path, repository path) pairs, `sources` those that coverage-spy.yml adds, `volumes` all
    container paths that the image does not fill, `entrypoint` and `command` those in force, the image's or the
    service's own; `copied` is what `copied_files` finds in its Dockerfile.
    """

    name: str
    image: Image | None
    binds: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    python_path: str = ""
    workdir: str = ""
    measured: bool = True
    reason: str = ""
    builds: bool = False
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    copied: tuple[tuple[str, str], ...] = ()


def find_services(
    project: Project, model: Mapping[str, Any], build: bool = False, obtain: bool = True
) -> list[Service]:
    """Every service of the compose model with its image, built or pulled where it is missing; `build` builds all anew.

    Without `obtain` a service whose image is missing has none. Raises TaskError when an image cannot be had, and when
    coverage-spy.yml names a service that there is not.
    """
    configuration = read_configuration(project.root)
    configuration.require_services(model["services"], project)
    names = compose.image_names(project, model)
    # One service may build what others only name.
    ordered = sorted(model["services"].items(), key=lambda entry: ("build" not in entry[1], entry[0]))
    found = [
        _configured(_service(project, name, definition, names[name], build), configuration)
        if obtain or compose.has_image(names[name])
        else Service(name, None, measured=False, reason="its image is neither built nor pulled")
        for name, definition in ordered
    ]
    return sorted(found, key=lambda service: service.name)


def inspect_image(name: str, cache: Path) -> Image:
    """What the image `name` holds, from one pass over its file system; nothing in it is run.

    Kept in `cache` under the image's id, so an image is read once. Raises TaskError when there is no such image.
    """
    description = json.loads(compose.docker("image", "inspect", name))[0]
    cached = _load(cache, description["Id"])
    if cached:
        return replace(cached, name=name)
    config = description["Config"]
    workdir = config.get("WorkingDir") or "/"
    with Stage(f"reading the image {name}", aloud=True):
        found = _read_filesystem(description["Id"], workdir)
    image = Image(
        id=description["Id"],
        name=name,
        environment=dict(pair.split("=", 1) for pair in config.get("Env") or ()),
        workdir=workdir,
        user=config.get("User") or "",
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        stop_signal=config.get("StopSignal") or "",
        **found._asdict(),
    )
    _store(cache, image)
    return image


def load_image(data: Path, image_id: str) -> Image | None:
    """The image as it was inspected, out of the data directory; None when it never was."""
    return _load(data / "images", image_id)


def map_service(
    service: Service,
    repository: Repository,
    ran: Mapping[str, Digest] | None = None,
    past: Mapping[Digest, str] | None = None,
) -> SourceMap:
    """The source map of a service in a container: `ran` are files that its processes loaded, `past` old contents."""
    image = service.image
    files = {**(image.files if image else {}), **(ran or {})}
    links = Links(image.links if image else {})
    system = Filesystem(files, service.binds, service.sources, service.copied, links, past or {})
    return map_sources(system, repository)


def _service(project: Project, name: str, definition: Mapping[str, Any], image_name: str, build: bool) -> Service:
    builds = "build" in definition
    if (build and builds) or not compose.has_image(image_name):
        with Stage(f"{'building' if builds else 'pulling'} the image of {name}", aloud=True):
            compose.obtain_image(project, name, builds)
    image = inspect_image(image_name, project.data / "images")
    # A null value is a variable that the host does not set: the image's own stays in force.
    python_path = (definition.get("environment") or {}).get("PYTHONPATH")
    reason = _why_not(image)
    entrypoint, command = _in_force(definition, image)
    return Service(
        name=name,
        image=image,
        binds=_binds(project.root, definition),
        volumes=_volumes(definition),
        python_path=str(image.environment.get("PYTHONPATH", "") if python_path is None else python_path),
        workdir=definition.get("working_dir") or image.workdir,
        measured=not reason,
        reason=reason,
        builds=builds,
        entrypoint=entrypoint,
        command=command,
        copied=tuple(copied_files(project.root, definition.get("build"))),
    )


def _configured(service: Service, configuration: Configuration) -> Service:
    service = replace(service, sources=configuration.sources.get(service.name, ()))
    if service.name in configuration.leave_out:
        return replace(service, measured=False, reason=LEFT_OUT)
    return service


def _in_force(definition: Mapping[str, Any], image: Image) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Entrypoint and command as the engine merges them: an entrypoint of the service's own drops the image's command.

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
        if source.is_dir() or (source.is_file() and read_source(source) is not None):
            pairs.append((str(PurePosixPath(volume["target"])), source.relative_to(root).as_posix()))
    return tuple(pairs)


def _volumes(definition: Mapping[str, Any]) -> tuple[str, ...]:
    mounts = [volume["target"] for volume in definition.get("volumes") or ()]
    tmpfs = definition.get("tmpfs") or ()
    mounts += [tmpfs] if isinstance(tmpfs, str) else tmpfs
    return tuple(str(PurePosixPath(mount.partition(":")[0])) for mount in mounts)


class _Contents(NamedTuple):
    """What of a file system goes into an `Image`."""

    interpreters: tuple[Interpreter, ...]
    files: dict[str, Digest]
    sites: tuple[str, ...]
    customizations: tuple[str, ...]
    coverage: str
    shebangs: dict[str, str]
    links: dict[str, str]


def _read_filesystem(image: str, workdir: str) -> _Contents:
    with (
        compose.made(image) as container,
        compose.docker_stream("export", container) as stream,
        tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape") as archive,
    ):
        return _read_archive(archive, workdir)


def _read_archive(archive: tarfile.TarFile, workdir: str = "/") -> _Contents:
    reading = _Reading(archive, workdir)
    for member in archive:
        reading.take(member, "/" + member.name.removeprefix("./").strip("/"))
        advance()
    return reading.contents()


class _Reading:
    """One pass over an archive; bodies are read only of sources and of scripts."""

    def __init__(self, archive: tarfile.TarFile, workdir: str) -> None:
        self.archive = archive
        self.workdir = workdir.rstrip("/")
        self.executables: dict[tuple[str, str], str] = {}
        self.suffixes: dict[tuple[str, str], str] = {}
        self.likely_suffixes: dict[tuple[str, str], str] = {}
        self.files: dict[str, Digest] = {}
        self.sites: list[tuple[str, str, str]] = []
        self.environments: set[str] = set()
        self.customizations: list[str] = []
        self.coverage: dict[str, str] = {}
        self.shebangs: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.libc = "glibc"

    def take(self, member: tarfile.TarInfo, path: str) -> None:
        """Look at one member, whose body can be read now and never again."""
        if path.startswith(("/lib/ld-musl-", "/usr/lib/ld-musl-")):
            self.libc = "musl"
        if "/coverage-" in path and (found := _COVERAGE.fullmatch(path)):
            self.coverage[path] = found["version"]
        if member.isdir():
            if found := _SITE.fullmatch(path):
                self.sites.append((path, found["prefix"], found["version"]))
            return
        if _CUSTOMIZATION.fullmatch(path):
            self.customizations.append(path)
        if member.issym():
            self.links[path] = member.linkname
        elif member.isreg() or member.islnk():
            self._take_file(member, path)

    def _take_file(self, member: tarfile.TarInfo, path: str) -> None:
        if path.endswith("/pyvenv.cfg"):
            self.environments.add(path.removesuffix("/pyvenv.cfg"))
        above, beginning = path.rpartition("/")[0], b""
        if path.endswith(".py") and not _STANDARD_LIBRARY.search(path):
            opened = self.archive.extractfile(member) if member.isreg() else None
            content = opened.read() if opened else None
            # A hard link follows the file it shares its content with.
            digest = self.files.get("/" + member.linkname.strip("/")) if content is None else digest_of(content)
            if digest:
                self.files[path] = digest
            beginning = content or b""
        elif (found := _EXECUTABLE.fullmatch(path)) and member.mode & 0o111:
            self.executables[found["prefix"], found["version"]] = path
        elif found := _EXTENSION.fullmatch(path):
            self.suffixes.setdefault((found["prefix"], found["version"]), found["suffix"])
        elif found := _CONFIGURATION.fullmatch(path):
            tag = f"cpython-{found['major']}{found['minor']}{found['flags']}-{found['platform']}"
            self.likely_suffixes[found["prefix"], found["version"]] = f".{tag}.so"
        elif member.mode & 0o111 and (above == self.workdir or above.endswith(("/bin", "/sbin"))):
            beginning = self._read_program(member, path)
        if member.mode & 0o111 and _SHEBANG.match(beginning):
            line = beginning[:SHEBANG_LENGTH].splitlines()[0]
            self.shebangs[path] = line.decode("utf-8", "backslashreplace")

    def _read_program(self, member: tarfile.TarInfo, path: str) -> bytes:
        """The beginning of a program, which is a source when it is a script for Python."""
        content = self.archive.extractfile(member) if member.isreg() else None
        if not content:
            return b""
        beginning = content.read(SHEBANG_LENGTH)
        if is_python(path, beginning):
            self.files[path] = digest_of(beginning + content.read())
        return beginning

    def contents(self) -> _Contents:
        """What was found, after the last member."""
        suffixes = self.likely_suffixes | self.suffixes
        complete = {
            place: Interpreter(path, place[1], suffixes[place], self.libc)
            for place, path in self.executables.items()
            if place in suffixes
        }
        read = (p for p, prefix, v in self.sites if prefix in self.environments or _is_read(prefix, v, complete))
        return _Contents(
            interpreters=tuple(sorted(complete.values(), key=lambda found: found.path)),
            files=self.files,
            sites=tuple(sorted(read)),
            customizations=tuple(sorted(self.customizations)),
            coverage=self.coverage[min(self.coverage)] if self.coverage else "",
            shebangs=dict(sorted(self.shebangs.items())),
            links=self._links_to_sources(),
        )

    def _links_to_sources(self) -> dict[str, str]:
        places = {str(place) for path in self.files for place in (path, *PurePosixPath(path).parents)} - {"/"}
        return {link: path for link, path in sorted(Links.followed(self.links).links.items()) if path in places}


def _is_read(prefix: str, version: str, interpreters: Collection[tuple[str, str]]) -> bool:
    # Debian's interpreters of /usr share lib/python3/dist-packages, and have another one in /usr/local.
    homes = (prefix, "/usr") if prefix == "/usr/local" else (prefix,)
    return any(home in homes and f"{own}.".startswith(f"{version}.") for home, own in interpreters)


def _load(cache: Path, image_id: str) -> Image | None:
    try:
        found = json.loads(_cache_file(cache, image_id).read_text())
        if set(found) != {known.name for known in fields(Image)}:
            return None  # another version of this module wrote it
        for name in ("sites", "entrypoint", "command", "customizations"):
            found[name] = tuple(found[name])
        found["interpreters"] = tuple(Interpreter(**interpreter) for interpreter in found["interpreters"])
        found["files"] = {path: Digest(*digest) for path, digest in found["files"].items()}
        return Image(**found)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _store(cache: Path, image: Image) -> None:
    # Whoever may not write here reads the image again the next time.
    with suppress(PermissionError):
        cache.mkdir(parents=True, exist_ok=True)
        file = _cache_file(cache, image.id)
        beside = file.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(asdict(image)))
        beside.replace(file)


def _cache_file(cache: Path, image_id: str) -> Path:
    return cache / f"{image_id.removeprefix('sha256:')}.json"
