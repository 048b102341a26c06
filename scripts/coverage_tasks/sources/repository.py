"""The Python sources of a repository, each with its digest."""

import os
import posixpath
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Self

from ..errors import TaskError
from ..files import read_pieces
from ..git import ask, is_in_repository
from ..project import EXAMPLE, TOOL, Project

LARGEST_SOURCE = 1 << 24  # bytes; to parse as much takes gigabytes
LIBRARY_DIRECTORIES = frozenset({"site-packages", "dist-packages"})
NOT_SOURCE = LIBRARY_DIRECTORIES | {".git", "node_modules", "__pycache__", ".tox", ".nox"}
SHEBANG_LENGTH = 255  # bytes; Linux reads no more of it (BINPRM_BUF_SIZE)
BUILD_FILES = frozenset({"setup.py", "noxfile.py", "conftest.py", "tests.py"})
LONGEST_PATH = 4000  # bytes, with a directory before it
LONGEST_NAME = 255
TOO_LARGE = f"it has more than {LARGEST_SOURCE} bytes", "make it smaller, or let git ignore it"

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\")


class Digest(NamedTuple):
    """Size in bytes and CRC-32 of a source: the two numbers a journal records."""

    size: int
    crc: int


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


def is_repository_path(path: str) -> bool:
    """Whether a file of a repository can be called that: nothing that leads out of it, on any system."""
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

    `unread` are those that count for no service, larger than any source or not to be read, with the reason and what to
    do about it. `refused` is why git did not list them although it keeps them, in its own words: those that it ignores
    are among them then.
    """

    root: Path
    files: Mapping[str, Digest]
    unread: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""

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
        unread: dict[str, tuple[str, str]] = {}
        listed, refused = _listed_by_git(root)
        for path in sorted(listed or set(_walked(root, is_dead))):
            directory = path.rpartition("/")[0]
            if path not in without and is_text(path) and not (directory and is_dead(directory)):
                file = root / path
                try:
                    if file.is_file() and not file.is_symlink() and (digest := digest_of_source(file)):
                        files[path] = digest
                except TaskError:
                    unread[path] = TOO_LARGE
                except OSError as error:
                    unread[path] = f"it cannot be read ({error.strerror})", "give yourself the right to read it"
        return cls(root, files, unread, refused)

    @classmethod
    def of_project(cls, project: Project) -> Self:
        """The repository a project measures, without the tool itself."""
        own = [project.data, project.state, *(TOOL / name for name in ("coverage-spy", "compose", "noxfile.py"))]
        own += [TOOL / "scripts" / name for name in ("coverage_tasks", "coverage_sessions.py", "coverage_noxfile.py")]
        if not project.root.is_relative_to(TOOL):
            own.append(TOOL)
        elif project.root == TOOL:
            own.append(EXAMPLE)
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


def parent(path: str) -> str:
    """The directory of a path; that of a relative one without a directory is "."."""
    head, slash, _ = path.rpartition("/")
    return head or slash or "."


def joined(directory: str, rest: str) -> str:
    """The path of what is called `rest` in a directory, which may be "."."""
    if not rest:
        return directory
    return rest if directory == "." else f"{directory.rstrip('/')}/{rest}"


def _walked(root: Path, is_dead: Callable[[str], bool]) -> Iterator[str]:
    for directory, names, files in os.walk(root):
        above = Path(directory).relative_to(root)
        names[:] = [name for name in names if not is_dead((above / name).as_posix())]
        yield from ((above / name).as_posix() for name in files if _may_be_python(name))


def _may_be_python(path: str) -> bool:
    return path.endswith(".py") or "." not in path.rpartition("/")[2]


def _listed_by_git(root: Path) -> tuple[set[str], str]:
    """Return tracked files, those of submodules too, and untracked ones that git doesn't ignore.

    Nothing without an answer, and git's own words why a repository has none.
    """
    listed: set[str] = set()
    for selection in (["--cached", "--recurse-submodules"], ["--others", "--exclude-standard"]):
        answer = ask(root, "ls-files", "-z", *selection, seconds=None)  # however large the checkout is
        if answer.error:
            return set(), answer.error if is_in_repository(root) else ""
        listed.update(path for path in answer.text.split("\0") if path and _may_be_python(path))
    return listed, ""
