"""Which file of the repository a file of a container is: decided by content, never by name alone."""

import os
import re
import subprocess
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple, Self

from .files import read_pieces
from .project import TOOL, Project, TaskError

LARGEST_SOURCE = 1 << 24  # bytes; to parse as much takes gigabytes
MOST_LINKS = 40  # followed in one path; Linux's own number (MAXSYMLINKS)
MOST_ALIASES = 100
LIBRARY_DIRECTORIES = frozenset({"site-packages", "dist-packages"})
NOT_SOURCE = LIBRARY_DIRECTORIES | {".git", "node_modules", "__pycache__", ".tox", ".nox"}
LIBRARY = "an installed library"
DRIFTED = "the source that ran is another one: rebuild the image, or check out what it was built from"
UNREADABLE = "its source could not be read where it ran"
NO_TEXT = "its name is not UTF-8, and no report can hold it: rename the file"
SHEBANG_LENGTH = 255  # bytes; Linux reads no more of it (BINPRM_BUF_SIZE)
BUILD_FILES = frozenset({"setup.py", "noxfile.py", "conftest.py", "tests.py"})


class Digest(NamedTuple):
    """Size in bytes and CRC-32 of a source: the two numbers a journal records."""

    size: int
    crc: int


class Root(NamedTuple):
    """A container directory (or file) and the repository's for it, and what says so.

    `content`: `votes` files with that content; `Dockerfile`: it copies this file; `setting`: coverage-spy.yml;
    `bind`: a bind mount; `host`: the process runs on the repository itself.
    """

    container: str
    repository: str
    votes: int = 0
    by: Literal["content", "Dockerfile", "setting", "bind", "host"] = "content"

    @property
    def binds(self) -> bool:
        """Whether it shows the repository's very files, and hides what the image has there."""
        return self.by in ("bind", "host")

    @property
    def decides(self) -> bool:
        """Whether nothing else is asked about what lies below it."""
        return self.binds or self.by == "setting"


class Match(NamedTuple):
    """What a container file is: `path` is repository-relative, None when unmapped; `reason` says why not "same"."""

    path: str | None
    state: Literal["same", "drifted", "unmapped"]
    reason: str


def digest_of(data: bytes) -> Digest:
    """Digest of a source's bytes."""
    return Digest(len(data), zlib.crc32(data))


def is_python(path: str, beginning: bytes) -> bool:
    """Whether a file is Python source: by its suffix, or without any by its first line."""
    name = path.rpartition("/")[2]
    return name.endswith(".py") or ("." not in name and bool(re.match(rb"#!.*python", beginning)))


def digest_of_pieces(pieces: Iterable[bytes]) -> Digest:
    """The same of bytes that come one after the other, and are more than memory should hold."""
    size = crc = 0
    for piece in pieces:
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    return Digest(size, crc)


def digest_of_source(file: Path) -> Digest | None:
    """The digest of a file of the host; None when it is no Python source.

    Raises OSError when nobody may read it, and TaskError when it is larger than any source.
    """
    pieces = read_pieces(file, LARGEST_SOURCE)
    beginning = next(pieces, b"")
    if not is_python(file.name, beginning[:SHEBANG_LENGTH]):
        pieces.close()
        return None
    return digest_of_pieces(chain((beginning,), pieces))


def is_library(path: str) -> bool:
    """Whether a path lies in a directory for installed distributions."""
    return not LIBRARY_DIRECTORIES.isdisjoint(path.split("/"))


def is_text(path: str) -> bool:
    """Whether a path that the operating system gave is UTF-8."""
    return path.encode("utf-8", "ignore").decode() == path


def is_test(path: str) -> bool:
    """Whether a repository path is a test or a build file: code that no service is meant to import."""
    *directories, name = path.split("/")
    return (
        not {"tests", "test"}.isdisjoint(directories)
        or name in BUILD_FILES
        or name.startswith("test_")
        or name.endswith("_test.py")
    )


@dataclass(frozen=True)
class Repository:
    """The Python sources of a repository: repository-relative posix path -> digest.

    `unread` are those that count for no service, with the reason: larger than any source, or not to be read.
    """

    root: Path
    files: Mapping[str, Digest]
    unread: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path, leave_out: Collection[Path] = ()) -> Self:
        """What git lists below `root` (untracked files too, ignored ones not), else a walk.

        Virtual environments, installed distributions, symbolic links and `leave_out` (files, directories) don't count,
        nor do files whose name is not UTF-8: neither the database of coverage.py nor its reports can hold it.
        """
        without = {Path(os.path.relpath(path, root)).as_posix() for path in leave_out}
        dead: dict[str, bool] = {}

        def is_dead(directory: str) -> bool:
            if directory not in dead:
                parent, _, name = directory.rpartition("/")
                dead[directory] = (
                    name in NOT_SOURCE
                    or directory in without
                    or (root / directory / "pyvenv.cfg").exists()
                    or (bool(parent) and is_dead(parent))
                )
            return dead[directory]

        files: dict[str, Digest] = {}
        unread: dict[str, str] = {}
        for path in sorted(set(_listed_by_git(root) or _walked(root, is_dead))):
            directory = path.rpartition("/")[0]
            if path not in without and is_text(path) and not (directory and is_dead(directory)):
                file = root / path
                try:
                    if file.is_file() and not file.is_symlink() and (digest := digest_of_source(file)):
                        files[path] = digest
                except TaskError:
                    unread[path] = f"it has more than {LARGEST_SOURCE} bytes; make it smaller, or let git ignore it"
                except OSError as error:
                    unread[path] = f"it cannot be read ({error.strerror}); give yourself the right to read it"
        return cls(root, files, unread)

    @classmethod
    def of_project(cls, project: Project) -> Self:
        """The repository a project measures: without the tool itself, with the example only when that is measured."""
        own = [TOOL / name for name in ("coverage-spy", "compose", "noxfile.py")]
        own += [TOOL / "scripts" / name for name in ("coverage_tasks", "coverage_sessions.py", "coverage_noxfile.py")]
        if not project.example:
            own += [TOOL / "examples" / "shop"] if project.root == TOOL else [TOOL]
        return cls.read(project.root, own)

    @cached_property
    def places(self) -> Mapping[Digest, list[str]]:
        """Digest -> the files that have it."""
        places = defaultdict(list)
        for path, digest in self.files.items():
            places[digest].append(path)
        return places

    @cached_property
    def directories(self) -> Mapping[str, list[str]]:
        """Directory ("." for the root) -> the files directly in it."""
        directories = defaultdict(list)
        for path in self.files:
            directories[parent(path)].append(path)
        return directories

    def real(self, path: str) -> str:
        """The file that a path leads to through symbolic links of the checkout; it may lie outside."""
        return Path(os.path.relpath(os.path.realpath(self.root / path), os.path.realpath(self.root))).as_posix()

    def only_place(self, digest: Digest) -> str | None:
        """The one file with this content; None when there is none, several, or nothing in it."""
        places = self.places.get(digest, ()) if digest.size else ()
        return places[0] if len(places) == 1 else None


class Links:
    """The symbolic links of a file system: absolute path -> absolute path without a link in it."""

    def __init__(self, links: Mapping[str, str]) -> None:
        """Takes links as `followed` makes them."""
        self.links = links

    @classmethod
    def followed(cls, links: Mapping[str, str]) -> Self:
        """Links with targets as they were made: relative ones, and ones that lead through others."""
        raw = cls({link: str(PurePosixPath(parent(link), target)) for link, target in links.items()})
        return cls({link: raw.resolve(target) for link, target in raw.links.items()})

    def resolve(self, path: str) -> str:
        """The path without a link in it, and without "..": what the file system calls the file."""
        done, ahead, followed = "", path.split("/")[::-1], 0
        while self.links and ahead:
            part = ahead.pop()
            if part == "..":
                done = done.rpartition("/")[0]
            elif part not in ("", "."):
                target = self.links.get(f"{done}/{part}")
                if target is None:
                    done = f"{done}/{part}"
                elif followed == MOST_LINKS:
                    return path
                else:
                    done, followed = "", followed + 1
                    ahead += target.split("/")[::-1]
        return done or path

    def aliases(self, path: str) -> set[str]:
        """Further names of a directory, and of those below it that a link leads to."""
        known, ahead = {path}, [path]
        while ahead and len(known) < MOST_ALIASES:
            name = ahead.pop()
            for link, target in self.links.items():
                if _is_below(name, target):
                    alias = joined(link, name[len(target) :].strip("/"))
                elif _is_below(target, name) and not is_library(target[len(name) :]):
                    alias = link
                else:
                    continue
                if alias not in known:
                    known.add(alias)
                    ahead.append(alias)
        return known


@dataclass(frozen=True)
class Filesystem:
    """What is known of the file system of one service; all container paths are absolute.

    `files`: every *.py that its image holds or its processes ran. `binds`: the bind mounts, as (container path,
    repository path). `given`: the same pairs as coverage-spy.yml says them. `copied`: what `copied_files` finds in its
    Dockerfile. `links`: its symbolic links. `past`: the file of the repository whose old content a digest is.
    """

    files: Mapping[str, Digest]
    binds: Collection[tuple[str, str]] = ()
    given: Collection[tuple[str, str]] = ()
    copied: Collection[tuple[str, str]] = ()
    links: Links = Links({})  # noqa: RUF009 - it is never changed
    past: Mapping[Digest, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceMap:
    """One service's answer to "which file of the repository is this?"."""

    repository: Repository
    roots: tuple[Root, ...]
    links: Links = Links({})  # noqa: RUF009 - it is never changed

    @classmethod
    def identity(cls, repository: Repository, given: Iterable[tuple[str, str]] = ()) -> Self:
        """The map of processes that run on the host's own files, but for the `given` ones."""
        places = dict.fromkeys((str(repository.root.absolute()), str(repository.root.resolve())))
        roots = [Root(place, path, by="setting") for place, path in given]
        return cls(repository, (*roots, *(Root(place, ".", by="host") for place in places)))

    @cached_property
    def _by_container(self) -> Mapping[str, list[Root]]:
        by_container = defaultdict(list)
        for root in self.roots:
            by_container[root.container].append(root)
        return by_container

    def _roots_above(self, path: str) -> Iterator[Root]:
        """All roots that a path lies under, nearest first."""
        while True:
            yield from self._by_container.get(path, ())
            if path in ("/", ""):
                return
            path = path.rpartition("/")[0] or "/"

    def _roots_of(self, path: str) -> Iterator[Root]:
        """The roots that say what a path is, nearest first: none behind one that decides."""
        for root in self._roots_above(path):
            yield root
            if root.decides:
                return

    def candidates(self, path: str) -> Iterator[str]:
        """The repository paths that a path would have by each root it lies under, nearest first; all may be missing."""
        path = self.links.resolve(path)
        for root in self._roots_of(path):
            candidate = joined(root.repository, path[len(root.container) :].strip("/"))
            if root.binds and candidate not in self.repository.files:
                candidate = self.repository.real(candidate)
            yield candidate

    def binds(self, path: str) -> bool:
        """Whether a path lies under a bind mount, which hides what the image has there."""
        return any(root.binds for root in self._roots_above(path))

    def decides(self, path: str) -> bool:
        """Whether a path lies under a bind mount, or where coverage-spy.yml says what it is."""
        return any(root.decides for root in self._roots_above(path))

    def find(self, path: str, digest: Digest | None) -> Match:
        """The repository file a container file is, with the reason when its lines cannot be shown on it.

        `digest` is None when the source could not be read where it ran: then nothing vouches for the lines.
        """
        files, other, nearest = self.repository.files, None, None
        home = self.repository.only_place(digest) if digest else None
        path = self.links.resolve(path)
        for root, candidate in zip(self._roots_of(path), self.candidates(path), strict=True):
            nearest = nearest or root
            if candidate not in files:
                continue
            if files[candidate] == digest and not (other and home):
                return Match(candidate, "same", "")
            other = other or candidate
        if is_library(path[len(nearest.container) :] if nearest else path):
            return Match(None, "unmapped", LIBRARY)
        if home and nearest and not nearest.decides:
            return Match(None, "unmapped", f"it is {home} by content, but {nearest.container} is {nearest.repository}")
        if other:
            return Match(other, "drifted", DRIFTED if digest else UNREADABLE)
        return Match(None, "unmapped", self._why_unmapped(digest, nearest) if is_text(path) else NO_TEXT)

    def _why_unmapped(self, digest: Digest | None, nearest: Root | None) -> str:
        if not digest:
            return UNREADABLE
        if nearest and nearest.binds:
            return "git ignores it, or it is gone from the repository"
        where = f"{nearest.container} is {nearest.repository}" if nearest else "nothing else beside it comes from there"
        places = self.repository.places.get(digest, ()) if digest.size else ()
        if len(places) > 1:
            return f"{len(places)} files have its content, among them {places[0]}"
        if places:
            return f"it is {places[0]} by content, but {where}"
        return "it is only in the container"

    @property
    def sources(self) -> list[str]:
        """The fewest container paths that hold all mapped code: COVERAGE_SOURCE.

        A directory of installed code below another source is named all the same: the spy leaves out libraries
        that are not named.
        """
        kept: list[str] = []
        roots = {root.container for root in self.roots}
        for path in sorted(set().union(*map(self.links.aliases, roots))):
            if not any(_is_below(path, above) and not is_library(path[len(above) :]) for above in kept):
                kept.append(path)
        return kept


def parent(path: str) -> str:
    """The directory of a path; that of a relative one without a directory is "."."""
    head, slash, _ = path.rpartition("/")
    return head or slash or "."


def joined(directory: str, rest: str) -> str:
    """The path of what is called `rest` in a directory, which may be "."."""
    if not rest:
        return directory
    return rest if directory == "." else f"{directory.rstrip('/')}/{rest}"


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _walked(root: Path, is_dead: Callable[[str], bool]) -> Iterator[str]:
    for directory, names, files in os.walk(root):
        above = Path(directory).relative_to(root)
        names[:] = [name for name in names if not is_dead((above / name).as_posix())]
        yield from ((above / name).as_posix() for name in files if _may_be_python(name))


def _may_be_python(path: str) -> bool:
    return path.endswith(".py") or "." not in path.rpartition("/")[2]


def _listed_by_git(root: Path) -> Iterable[str]:
    """Tracked files, those of submodules too, and untracked ones that git doesn't ignore; nothing without an answer."""
    listed: set[str] = set()
    for selection in (["--cached", "--recurse-submodules"], ["--others", "--exclude-standard"]):
        command = ["git", "-C", str(root), "ls-files", "-z", *selection]
        try:
            output = subprocess.run(command, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return ()
        listed.update(path for path in map(os.fsdecode, output.split(b"\0")) if path and _may_be_python(path))
    return listed
