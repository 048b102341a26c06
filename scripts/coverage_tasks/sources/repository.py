"""The Python sources of a repository, each with its digest."""

import os
import posixpath
import re
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self

from ..errors import TaskError
from ..files import read_file, read_pieces
from ..git import ask, is_in_repository
from ..project import EXAMPLE, TOOL, Project
from .statements import Outline

LARGEST_SOURCE = 1 << 24  # bytes; to parse as much takes gigabytes
LIBRARY_DIRECTORIES = frozenset({"site-packages", "dist-packages"})
NOT_SOURCE = LIBRARY_DIRECTORIES | {".git", "node_modules", "__pycache__", ".tox", ".nox"}
SHEBANG_LENGTH = 255  # bytes; Linux reads no more of it (BINPRM_BUF_SIZE)
BUILD_FILES = frozenset({"setup.py", "noxfile.py", "conftest.py", "tests.py"})
LONGEST_PATH = 4000  # bytes, with a directory before it
LONGEST_NAME = 255
TRACKED = "--cached", "--recurse-submodules"
UNTRACKED = "--others", "--exclude-standard"
TOO_LARGE = f"it has more than {LARGEST_SOURCE} bytes", "make it smaller, or let git ignore it"

# Blank lines, comments and one string are no statements. Whatever a source is, this goes through it once.
_BLANK = rb"(?:\s++|#[^\r\n]*+)*+"
_STRINGS = (
    rb'"{3}(?:[^"\\]|\\.|"(?!""))*+"{3}',
    rb"'{3}(?:[^'\\]|\\.|'(?!''))*+'{3}",
    rb'"(?:[^"\\\r\n]|\\.)*+"',
    rb"'(?:[^'\\\r\n]|\\.)*+'",
)
_WITHOUT_STATEMENTS = re.compile(
    rb"(?:\xef\xbb\xbf)?" + _BLANK + rb"(?:[rRuU]?(?:" + rb"|".join(_STRINGS) + rb"))?" + _BLANK, re.DOTALL
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\")


class Digest(NamedTuple):
    """Size in bytes and CRC-32 of a source: the two numbers a journal records."""

    size: int
    crc: int


def digest_of(data: bytes) -> Digest:
    """Return the digest of a source's bytes."""
    return Digest(len(data), zlib.crc32(data))


def line_ends(data: bytes) -> set[Digest]:
    """Digests of a source with each of the line ends that a checkout may give it: to Python it is one text."""
    lf = data.replace(b"\r\n", b"\n")
    return {digest_of(data), digest_of(lf), digest_of(lf.replace(b"\n", b"\r\n"))}


def has_statements(data: bytes) -> bool:
    """Whether a source has statements: without, as many licences and empty packages, it tells nothing of its origin."""
    return not _WITHOUT_STATEMENTS.fullmatch(data)


def is_called_python(path: str) -> bool:
    """Whether a file has a name that only Python sources have."""
    return path.endswith(".py")


def is_python(path: str, beginning: bytes) -> bool:
    """Return whether a file is Python source: by its suffix, or without any by its first line."""
    name = path.rpartition("/")[2]
    return name.endswith(".py") or ("." not in name and bool(re.match(rb"#!.*python", beginning)))


def digest_of_pieces(pieces: Iterable[bytes]) -> Digest:
    """Return the same of bytes that come one after the other, and are more than memory should hold."""
    size = crc = 0
    for piece in pieces:
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    return Digest(size, crc)


def read_source(file: Path) -> bytes | None:
    """Return a file of the host; None when it is no Python source.

    Raise OSError when nobody may read it, and TaskError when it is larger than any source.
    """
    pieces = read_pieces(file, LARGEST_SOURCE)
    beginning = next(pieces, b"")
    if not is_python(file.name, beginning[:SHEBANG_LENGTH]):
        pieces.close()
        return None
    return b"".join((beginning, *pieces))


def is_library(path: str) -> bool:
    """Return whether a path lies in a directory for installed distributions."""
    return not LIBRARY_DIRECTORIES.isdisjoint(path.split("/"))


def is_text(path: str) -> bool:
    """Return whether a path that the operating system gave is UTF-8."""
    return path.encode("utf-8", "ignore").decode() == path


def is_repository_path(path: str) -> bool:
    """Return whether a file of a repository can be called that: nothing that leads out of it, on any system."""
    encoded = path.encode("utf-8", "replace")
    return (
        posixpath.normpath(path) == path
        and path.split("/")[0] not in ("", ".", "..")
        and not _DRIVE.match(path)
        and "\0" not in path
        and encoded.decode() == path
        and len(encoded) <= LONGEST_PATH
        and all(len(part) <= LONGEST_NAME for part in encoded.split(b"/"))
    )


def is_test(path: str) -> bool:
    """Return whether a repository path is a test or a build file: code that no service is meant to import."""
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

    `unread` are those that count for no service, larger than any source or not to be read, with the reason and what to
    do about it. `refused` is why git did not list them although it keeps them, in its own words: those that it ignores
    are among them then. `others` are all further files. `texts` leads from a digest to the one that stands for the same
    text with other line ends, and `wordless` are those, of these, that have no statement.
    """

    root: Path
    files: Mapping[str, Digest]
    unread: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""
    others: Collection[str] = frozenset()
    texts: Mapping[Digest, Digest] = field(default_factory=dict)
    wordless: Collection[Digest] = frozenset()

    @classmethod
    def read(cls, root: Path, leave_out: Collection[Path] = ()) -> Self:
        """Return what git lists below `root` (untracked files too, ignored ones not), else a walk.

        Virtual environments that git does not track, installed distributions, standard libraries, symbolic links and
        `leave_out` (files, directories) don't count, nor do files whose name is not UTF-8: neither the database of
        coverage.py nor its reports can hold it.
        """
        dead = _Dead(root, {Path(os.path.relpath(path, root)).as_posix() for path in leave_out})
        reading = _Reading(root)
        listed, refused = _listed(root, dead)
        for path in sorted(listed):
            reading.take(path)
        return cls(root, **vars(reading.found), refused=refused)

    @classmethod
    def of_project(cls, project: Project) -> Self:
        """Return the repository a project measures, without the tool itself."""
        own = [project.data, project.state, *(TOOL / name for name in ("coverage-spy", "compose", "noxfile.py"))]
        own += [TOOL / "scripts" / name for name in ("coverage_tasks", "coverage_sessions.py", "coverage_noxfile.py")]
        if not project.root.is_relative_to(TOOL):
            own.append(TOOL)
        elif project.root == TOOL:
            own.append(EXAMPLE)
        return cls.read(project.root, own)

    @cached_property
    def places(self) -> Mapping[Digest, list[str]]:
        """Digest of a text -> the files that have it."""
        places = defaultdict(list)
        for path, digest in self.files.items():
            places[self.text(digest)].append(path)
        return places

    @cached_property
    def known(self) -> Collection[Digest]:
        """The digests of all sources, with whatever line ends."""
        return {*self.files.values(), *self.texts, *self.texts.values()}

    def text(self, digest: Digest) -> Digest:
        """Return the digest that stands for a text, whatever its line ends."""
        return self.texts.get(digest, digest)

    def tells(self, digest: Digest) -> bool:
        """Whether a content tells where it comes from: one without statements is the same in many places."""
        return bool(digest.size) and self.text(digest) not in self.wordless

    def holds(self, path: str, digest: Digest | None) -> bool:
        """Whether a file is there and has this text."""
        found = self.digest(path)
        return bool(digest and found) and self.text(digest) == self.text(found)  # type: ignore[arg-type]

    def digest(self, path: str) -> Digest | None:
        """Return that of a file, whatever its name: one that is called otherwise is Python when it runs as Python."""
        if path in self.others and path not in self._others:
            try:
                self._others[path] = digest_of_pieces(read_pieces(self.root / path, LARGEST_SOURCE))
            except (OSError, TaskError):
                self._others[path] = None
        return self.files.get(path) or self._others.get(path)

    def outline(self, path: str) -> Outline | None:
        """Return that of a file; None when it cannot be read."""
        if path not in self._outlines:
            try:
                self._outlines[path] = Outline(lambda: read_file(self.root / path, LARGEST_SOURCE))
            except (OSError, TaskError):
                self._outlines[path] = None
        return self._outlines[path]

    @cached_property
    def _outlines(self) -> dict[str, Outline | None]:
        return {}

    @cached_property
    def _others(self) -> dict[str, Digest | None]:
        return {}

    @cached_property
    def directories(self) -> Mapping[str, list[str]]:
        """Directory ("." for the root) -> the files directly in it."""
        directories = defaultdict(list)
        for path in self.files:
            directories[parent(path)].append(path)
        return directories

    def real(self, path: str) -> str:
        """Return the file that a path leads to through symbolic links of the checkout; it may lie outside."""
        return Path(os.path.relpath(os.path.realpath(self.root / path), os.path.realpath(self.root))).as_posix()

    def only_place(self, digest: Digest) -> str | None:
        """Return the one file with this content; None when there is none, several, or nothing in it."""
        places = self.all_places(digest)
        return places[0] if len(places) == 1 else None

    def all_places(self, digest: Digest) -> Sequence[str]:
        """Return the files with this content; none when that tells nothing."""
        return self.places.get(self.text(digest), ()) if self.tells(digest) else ()


def parent(path: str) -> str:
    """Return the directory of a path; that of a relative one without a directory is "."."""
    head, slash, _ = path.rpartition("/")
    return head or slash or "."


def joined(directory: str, rest: str) -> str:
    """Return the path of what is called `rest` in a directory, which may be "."."""
    if not rest:
        return directory
    return rest if directory == "." else f"{directory.rstrip('/')}/{rest}"


@dataclass
class _Found:
    """What is read of a repository, see there."""

    files: dict[str, Digest] = field(default_factory=dict)
    unread: dict[str, tuple[str, str]] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)
    texts: dict[Digest, Digest] = field(default_factory=dict)
    wordless: set[Digest] = field(default_factory=set)


class _Reading:
    """Reads one file after the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.found = _Found()

    def take(self, path: str) -> None:
        """Read a file that may be Python by its name, and note any other."""
        file, found = self.root / path, self.found
        if not _may_be_python(path):
            found.others.add(path)
            return
        try:
            content = read_source(file) if file.is_file() and not file.is_symlink() else None
        except TaskError:
            found.unread[path] = TOO_LARGE
        except OSError as error:
            found.unread[path] = f"it cannot be read ({error.strerror})", "give yourself the right to read it"
        else:
            if content is not None:
                found.files[path] = digest_of(content)
                texts = line_ends(content)
                text = min(texts)  # the smallest is the one with LF
                found.texts.update(dict.fromkeys(texts - {text}, text))
                if not has_statements(content):
                    found.wordless.add(text)


class _Dead:
    """The directories of a repository that hold no source of its own."""

    def __init__(self, root: Path, without: Collection[str]) -> None:
        self.root, self.without = root, without
        self.known: dict[tuple[str, bool], bool] = {}

    def holds(self, path: str, tracked: bool) -> bool:
        """Whether a file lies in one. What git tracks is source, but for what is never anybody's own."""
        directory = path.rpartition("/")[0]
        return path in self.without or (bool(directory) and self.has(directory, tracked))

    def has(self, directory: str, tracked: bool) -> bool:
        """Whether a directory is one, or lies in one."""
        key = directory, tracked
        if key not in self.known:
            above, _, name = directory.rpartition("/")
            self.known[key] = (
                name in NOT_SOURCE
                or directory in self.without
                or (bool(above) and self.has(above, tracked))
                or is_standard_library(self.root / directory)
                or (not tracked and is_environment(self.root / directory))
            )
        return self.known[key]


def is_environment(directory: Path) -> bool:
    """Whether a directory is an environment of Python's: told by what is in it, never by a file beside it."""
    return any(directory.glob("bin/python*")) and any(directory.glob("lib*/python*"))


def is_standard_library(directory: Path) -> bool:
    """Whether a directory is the standard library of an interpreter that lies in the repository."""
    name = directory.name
    return name.startswith(("python", "pypy")) and (directory / "os.py").is_file() and (directory / "site.py").is_file()


def _walked(root: Path, dead: _Dead) -> Iterator[str]:
    for directory, names, files in os.walk(root):
        above = Path(directory).relative_to(root)
        names[:] = [name for name in names if not dead.has((above / name).as_posix(), False)]
        yield from (path for name in files if not dead.holds(path := (above / name).as_posix(), False))


def _may_be_python(path: str) -> bool:
    return path.endswith(".py") or "." not in path.rpartition("/")[2]


def _listed(root: Path, dead: _Dead) -> tuple[set[str], str]:
    """Return the files that may be sources: tracked ones, those of submodules too, and untracked ones not ignored.

    Without an answer of git's they are all that a walk finds, and its own words say why a repository has none.
    """
    listed: set[str] = set()
    for tracked, selection in (
        (True, ["--cached", "--recurse-submodules"]),
        (False, ["--others", "--exclude-standard"]),
    ):
        answer = ask(root, "ls-files", "-z", *selection, seconds=None)  # however large the checkout is
        if answer.error:
            refused = answer.error if is_in_repository(root) else ""
            return set(filter(is_text, _walked(root, dead))), refused
        listed.update(path for path in answer.text.split("\0") if path and not dead.holds(path, tracked))
    return set(filter(is_text, listed or _walked(root, dead))), ""
