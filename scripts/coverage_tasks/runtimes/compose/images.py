"""Images: what one holds and says, read once per content."""

import os
import re
import shutil
import tarfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple
from zlib import crc32

from ...errors import TaskError
from ...places import cache_directory
from ...progress import Stage, advance
from ...recorded.images import forget, load, store
from ...records import RecordError, read_record, write_record
from ...sources import repository
from ...sources.images import Image, Interpreter, is_imported
from ...sources.maps import Links
from ...sources.repository import SHEBANG_LENGTH, Digest, digest_of_pieces, is_python
from . import engine

PIECE = 1 << 20
RUN_VERSION = 1

_EXECUTABLE = re.compile(r"(?P<prefix>.*)/bin/python(?P<version>\d+\.\d+)t?")
_EXTENSION = re.compile(
    r"(?P<prefix>.*)/lib\d*/python(?P<version>\d+\.\d+)t?/lib-dynload/[^/.]+(?P<suffix>\.cpython-[^/]+\.so)"
)
# What a build with all extension modules inside the executable has, as those that uv installs: lib-dynload is empty.
_CONFIGURATION = re.compile(
    r"(?P<prefix>.*)/lib\d*/python(?P<version>(?P<major>\d+)\.(?P<minor>\d+))t?/"
    r"_sysconfigdata_(?P<flags>\w*)_linux_(?P<platform>[\w-]+)\.py"
)
_MODULE = re.compile(r"(?P<module>.*/[^/.]+)\.(?P<suffix>[^/]+)")
_SITE = re.compile(r"(?P<prefix>.*)/lib\d*/python(?P<version>\d+(\.\d+)?)t?/(site|dist)-packages")
_COVERAGE = re.compile(r".*/(site|dist)-packages/coverage-(?P<version>\d[^/-]*)(-py[^/]+)?\.(dist|egg)-info(/.*)?")
_CUSTOMIZATION = re.compile(r".*/(site|user)customize(/__init__)?\.py")
# Only we write these.
_WRITTEN = re.compile(
    r"(?P<path>.*/(coverage-data(?=/\.gitignore)|htmlcov(?=/combined\.json)|\.nox(?=/[\w-]*coverage[\w-]*/pyvenv\.cfg))).*"
)
_SHEBANG = re.compile(rb"#!.*(python|/env\b)")
# Debian keeps its packages in lib/python3, so every version is the standard library but for these two directories.
_STANDARD_LIBRARY = re.compile(r"/lib\d*/(python|pypy)\d+(\.\d+)?t?/(?!site-packages/|dist-packages/)")

# What is kept in the cache was read by the rules of these modules.
_RULES = f"{crc32(b''.join(Path(file).read_bytes() for file in (__file__, repository.__file__))):08x}"


def inspect_image(name: str, platform: str = "") -> Image:
    """Return what the image `name` holds, from one pass over its file system; nothing in it is run.

    Kept in the user's cache, so that a content is read once, whatever builds, names and checkouts it has. Raise
    TaskError when there is no such image.
    """
    found = engine.find_image(name, platform)
    if not found:
        raise TaskError(f"the image {name} is gone, somebody has removed it since: start again")
    file = cache_directory() / "images" / _cached_name(found.content)
    cached = load(file)
    if not cached:
        try:
            cached = _read_image(found, name, platform)
        except TaskError:
            now = engine.find_image(name, platform)
            if now and now.ids != found.ids:
                return inspect_image(name, platform)  # built anew meanwhile, and the one before is gone
            raise
        store(file, cached)
    return replace(cached, name=name, platform=platform, ids=found.ids)


class _Contents(NamedTuple):
    """What of a file system goes into an `Image`."""

    interpreters: tuple[Interpreter, ...]
    files: dict[str, Digest]
    sites: tuple[str, ...]
    customizations: tuple[str, ...]
    coverage: str
    shebangs: dict[str, str]
    links: dict[str, str]
    written: tuple[str, ...]
    compiled: tuple[str, ...]


def _read_filesystem(image: str, workdir: str, platform: str) -> _Contents:
    with (
        engine.made(image, platform=platform) as container,
        engine.docker_stream("export", container) as stream,
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
        self.written: set[str] = set()
        self.extensions: set[tuple[str, str]] = set()
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
        if found := _WRITTEN.fullmatch(path):
            self.written.add(found["path"])
        if _CUSTOMIZATION.fullmatch(path):
            self.customizations.append(path)
        if member.issym():
            self.links[path] = member.linkname
        elif member.isreg() or member.islnk():
            self._take_file(member, path)

    def _take_file(self, member: tarfile.TarInfo, path: str) -> None:
        if path.endswith(".so") and (found := _MODULE.fullmatch(path)):
            self.extensions.add((f"{found['module']}.py", found["suffix"]))
        if path.endswith("/pyvenv.cfg"):
            self.environments.add(path.removesuffix("/pyvenv.cfg"))
        above, beginning = path.rpartition("/")[0], b""
        if path.endswith(".py") and not _STANDARD_LIBRARY.search(path):
            opened = self.archive.extractfile(member) if member.isreg() else None
            if opened:
                beginning = opened.read(SHEBANG_LENGTH)
                self.files[path] = _digest(beginning, opened)
            # A hard link follows the file it shares its content with.
            elif digest := self.files.get("/" + member.linkname.strip("/")):
                self.files[path] = digest
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
        """Return the beginning of a program, which is a source when it is a script for Python."""
        content = self.archive.extractfile(member) if member.isreg() else None
        if not content:
            return b""
        beginning = content.read(SHEBANG_LENGTH)
        if is_python(path, beginning):
            self.files[path] = _digest(beginning, content)
        return beginning

    def contents(self) -> _Contents:
        """Return what was found, after the last member."""
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
            written=tuple(sorted(self.written)),
            compiled=self._compiled({"cpython-" + version.replace(".", "") for _, version in complete}),
        )

    def _compiled(self, tags: Collection[str]) -> tuple[str, ...]:
        found = {path for path, suffix in self.extensions if path in self.files and is_imported(suffix, tags)}
        return tuple(sorted(found))

    def _links_to_sources(self) -> dict[str, str]:
        places = {str(place) for path in self.files for place in (path, *PurePosixPath(path).parents)} - {"/"}
        return {link: path for link, path in sorted(Links.followed(self.links).links.items()) if path in places}


def _digest(beginning: bytes, rest: IO[bytes]) -> Digest:
    """Return that of a file of any size, which needs not be in memory for it."""
    return digest_of_pieces(chain((beginning,), iter(lambda: rest.read(PIECE), b"")))


def _is_read(prefix: str, version: str, interpreters: Collection[tuple[str, str]]) -> bool:
    # Debian's interpreters of /usr share lib/python3/dist-packages, and have another one in /usr/local.
    homes = (prefix, "/usr") if prefix == "/usr/local" else (prefix,)
    return any(home in homes and f"{own}.".startswith(f"{version}.") for home, own in interpreters)


def _read_image(found: engine.EngineImage, name: str, platform: str) -> Image:
    config = found.config
    workdir = config.get("WorkingDir") or "/"
    with Stage(f"reading the image {name}", aloud=True):
        contents = _read_filesystem(found.ids[0], workdir, platform)
    return Image(
        content=found.content,
        name=name,
        environment=dict(pair.split("=", 1) for pair in config.get("Env") or ()),
        workdir=workdir,
        user=config.get("User") or "",
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        stop_signal=config.get("StopSignal") or "",
        **contents._asdict(),
    )


def record_images(state: Path, images: Iterable[Image]) -> None:
    """Keep what the images of a run hold beside its data, where reports find it without an engine.

    Forget those of the run before, and in the cache what no run of any checkout names any more.
    """
    named = {image.content: image for image in images}
    directory = state / "images"
    for content, image in named.items():
        store(directory / f"{content}.json", image)
    forget(directory, {f"{content}.json" for content in named})
    _name_in_cache(state, sorted(map(_cached_name, named)))


@dataclass(frozen=True)
class _Run:
    """The last run of a checkout: the directory of its state, and the files in the cache that it names."""

    state: str
    images: tuple[str, ...]


def _cached_name(content: str) -> str:
    return f"{content}-{_RULES}.json"


def _name_in_cache(state: Path, files: Sequence[str]) -> None:
    """Write down which images the run in `state` names, and remove images and copies of the spy that no run has."""
    runs = cache_directory() / "runs"
    with suppress(OSError):  # a cache that can't be written is none
        runs.mkdir(parents=True, exist_ok=True)
        own = runs / f"{sha256(os.fsencode(state)).hexdigest()[:16]}.json"
        write_record(own, _Run(str(state), tuple(files)), RUN_VERSION)
        named, spies = set[str](), set[str]()
        for file in runs.glob("*.json"):
            run = _read_run(file)
            if run:
                named.update(run.images)
                spies.update(place.name for place in Path(run.state, "spies").glob("*"))
                continue
            with suppress(OSError):
                file.unlink()
        forget(cache_directory() / "images", named)
        for copy in (cache_directory() / "spies").glob("[!.]*"):  # one that is being made begins with a dot
            if copy.name not in spies:
                shutil.rmtree(copy, ignore_errors=True)


def _read_run(file: Path) -> _Run | None:
    """Return a run whose state is there still; one that is damaged reads its images again when it needs them."""
    try:
        run = read_record(file, _Run, RUN_VERSION)
        return run if Path(run.state).is_dir() else None
    except (TaskError, OSError, RecordError):
        return None
