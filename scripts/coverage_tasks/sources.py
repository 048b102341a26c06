"""Which file of the repository a file of a container is: decided by content, never by name alone."""

import os
import subprocess
import zlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, Self

from .project import TOOL, Project

LIBRARY_DIRECTORIES = frozenset({"site-packages", "dist-packages"})
NOT_SOURCE = LIBRARY_DIRECTORIES | {".git", "node_modules", "__pycache__", ".tox", ".nox"}
VENDORED = frozenset({"vendor", "vendors", "vendored", "_vendor", "_vendored", "third_party", "extern"})
LIBRARY = "an installed library"
DRIFTED = "the source that ran is another one: rebuild the image, or check out what it was built from"
BUILD_FILES = frozenset({"setup.py", "noxfile.py", "conftest.py"})


class Digest(NamedTuple):
    """Size in bytes and CRC-32 of a source: the two numbers a journal records."""

    size: int
    crc: int


class Root(NamedTuple):
    """A container directory (or file) and the repository's for it; no votes means a bind mount."""

    container: str
    repository: str
    votes: int


class Match(NamedTuple):
    """What a container file is: `path` is repository-relative, None when unmapped; `reason` says why not "same"."""

    path: str | None
    state: Literal["same", "drifted", "unmapped"]
    reason: str


def digest_of(data: bytes) -> Digest:
    """Digest of a source's bytes."""
    return Digest(len(data), zlib.crc32(data))


def is_library(path: str) -> bool:
    """Whether a path lies in a directory for installed distributions."""
    return not LIBRARY_DIRECTORIES.isdisjoint(path.split("/"))


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
    """The `*.py` files of a repository: repository-relative posix path -> digest."""

    root: Path
    files: Mapping[str, Digest]

    @classmethod
    def read(cls, root: Path, leave_out: Collection[Path] = ()) -> Self:
        """What git lists below `root` (untracked files too, ignored ones not), else a walk.

        Virtual environments, installed distributions, symbolic links and `leave_out` (files, directories) don't count.
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

        files = {}
        for path in sorted(set(_listed_by_git(root) or _walked(root, is_dead))):
            directory = path.rpartition("/")[0]
            if path not in without and not (directory and is_dead(directory)):
                file = root / path
                if file.is_file() and not file.is_symlink():
                    files[path] = digest_of(file.read_bytes())
        return cls(root, files)

    @classmethod
    def of_project(cls, project: Project) -> Self:
        """The repository a project measures: without the tool itself, with the example only when that is measured."""
        own = [TOOL / "coverage-spy", TOOL / "scripts" / "coverage_tasks", TOOL / "noxfile.py", TOOL / "compose"]
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
            directories[_parent(path)].append(path)
        return directories

    def only_place(self, digest: Digest) -> str | None:
        """The one file with this content; None when there is none, several, or nothing in it."""
        places = self.places.get(digest, ()) if digest.size else ()
        return places[0] if len(places) == 1 else None


@dataclass(frozen=True)
class SourceMap:
    """One service's answer to "which file of the repository is this?"."""

    repository: Repository
    roots: tuple[Root, ...]

    @classmethod
    def identity(cls, repository: Repository) -> Self:
        """The map of processes that run on the host's own files."""
        places = dict.fromkeys((str(repository.root.absolute()), str(repository.root.resolve())))
        return cls(repository, tuple(Root(place, ".", 0) for place in places))

    @cached_property
    def _by_container(self) -> Mapping[str, list[Root]]:
        by_container = defaultdict(list)
        for root in self.roots:
            by_container[root.container].append(root)
        return by_container

    def _roots_of(self, path: str) -> Iterator[Root]:
        """The roots a path lies under, nearest first; a bind mount hides all behind it."""
        while True:
            for root in self._by_container.get(path, ()):
                yield root
                if not root.votes:
                    return
            if path in ("/", ""):
                return
            path = path.rpartition("/")[0] or "/"

    def binds(self, path: str) -> bool:
        """Whether a path lies under a bind mount, which hides what the image has there."""
        return any(not root.votes for root in self._roots_of(path))

    def find(self, path: str, digest: Digest | None) -> Match:
        """The repository file a container file is, with the reason when its lines cannot be shown on it.

        `digest` is None when the source could not be read where it ran: then nothing vouches for the lines.
        """
        files, other, nearest = self.repository.files, None, None
        home = self.repository.only_place(digest) if digest else None
        for root in self._roots_of(path):
            nearest = nearest or root
            candidate = _join(root.repository, path[len(root.container) :].strip("/"))
            if candidate not in files:
                continue
            if files[candidate] == digest and not (other and home):
                return Match(candidate, "same", "")
            other = other or candidate
        if is_library(path[len(nearest.container) :] if nearest else path):
            return Match(None, "unmapped", LIBRARY)
        if home and nearest and nearest.votes:
            return Match(None, "unmapped", f"it is {home} by content, but {nearest.container} is {nearest.repository}")
        if other:
            return Match(other, "drifted", DRIFTED if digest else "its source could not be read where it ran")
        return Match(None, "unmapped", self._why_unmapped(digest, nearest))

    def _why_unmapped(self, digest: Digest | None, nearest: Root | None) -> str:
        if nearest and not nearest.votes:
            return "git ignores it, or it is gone from the repository"
        places = self.repository.places.get(digest, ()) if digest and digest.size else ()
        if len(places) > 1:
            return f"{len(places)} files have its content, among them {places[0]}"
        if places:
            return f"it is {places[0]} by content, but nothing else beside it comes from there"
        return "it is only in the container"

    @property
    def sources(self) -> list[str]:
        """The fewest container paths that hold all mapped code: COVERAGE_SOURCE.

        A directory of installed code below another source is named all the same: the spy leaves out libraries
        that are not named.
        """
        kept: list[str] = []
        for path in sorted({root.container for root in self.roots}):
            if not any(_is_below(path, above) and not is_library(path[len(above) :]) for above in kept):
                kept.append(path)
        return kept


def map_sources(files: Mapping[str, Digest], binds: Sequence[tuple[str, str]], repository: Repository) -> SourceMap:
    """Map one service's container files to the repository by vote.

    `files`: absolute container path -> digest, of every *.py there. `binds`: (container path, repository-relative
    path); they hide what the image has and are never put to the vote. A file whose content is unique in the
    repository, under the same name, votes for the directory it lies in there. Directories without such files take
    what their subdirectories agree on. Per directory the most votes win; a draw has no winner.
    """
    bound = tuple(Root(container, path, 0) for container, path in dict(binds).items())
    hidden = SourceMap(repository, bound)
    visible = {path: digest for path, digest in files.items() if not hidden.binds(path)}
    return SourceMap(repository, bound + tuple(_Election(visible, repository).roots()))


class _Election:
    """The vote on one service's directories."""

    def __init__(self, files: Mapping[str, Digest], repository: Repository) -> None:
        self.files = files
        self.sorted = sorted(files)
        self.repository = repository
        self.direct: dict[str, Counter[str]] = defaultdict(Counter)  # by files in the directory itself
        self.handed_up: dict[str, Counter[str]] = defaultdict(Counter)  # by its subdirectories
        self.children: dict[str, Counter[str]] = defaultdict(Counter)  # how many subdirectories said so
        for path, digest in files.items():
            home = repository.only_place(digest)
            if home and _name(home) == _name(path):
                self.direct[_parent(path)][_parent(home)] += 1

    def roots(self) -> list[Root]:
        """The winners, without those that follow from the winner of a directory above."""
        winners = {root.container: root for root in self._winners()}
        overlaid = list(self._overlaid(winners))
        shared = {root.container for root in overlaid}
        kept = [root for root in winners.values() if root.container in shared or not _follows(root, winners)]
        return sorted([*kept, *overlaid, *self._single_files()], key=lambda root: root.container)

    def _winners(self) -> Iterator[Root]:
        directories = {above for directory in self.direct for above in _ancestors(directory)}
        for directory in sorted(directories, key=lambda d: (-d.count("/"), d)):
            direct, handed_up = self.direct[directory], self.handed_up[directory]
            ranked = sorted(
                ((direct[repo], handed_up[repo], repo) for repo in direct or handed_up), key=lambda r: (-r[0], -r[1])
            )
            if not ranked or (len(ranked) > 1 and ranked[0][:2] == ranked[1][:2]):
                continue
            root = Root(directory, ranked[0][2], ranked[0][0] + ranked[0][1])
            above = _parent(directory)
            if _name(directory) == _name(root.repository) and above != "/" and _name(above) not in LIBRARY_DIRECTORIES:
                self.handed_up[above][_parent(root.repository)] += root.votes
                self.children[above][_parent(root.repository)] += 1
            if self._is_sensible(root):
                yield root

    def _is_sensible(self, root: Root) -> bool:
        directory = root.container
        if directory == "/" or _name(directory) in LIBRARY_DIRECTORIES:
            return False
        if is_library(directory):
            return self._is_installed_from(root)
        if self.direct[directory] or self.children[directory][root.repository] > 1:
            return True
        return any(  # all votes came up from one subdirectory: is there a file that needs this one?
            _join(directory, _name(path)) in self.files for path in self.repository.directories.get(root.repository, ())
        )

    def _is_installed_from(self, root: Root) -> bool:
        """Whether installed code comes from the repository, and is not the twin of a vendored copy.

        It has the same import path there, and more than half of its files have the same content.
        """
        parts = root.container.split("/")
        last = max(i for i, part in enumerate(parts) if part in LIBRARY_DIRECTORIES)
        package = parts[last + 1 :]
        if root.repository.split("/")[-len(package) :] != package or _is_vendored(root.repository):
            return False
        equal = total = 0
        for path in self._below(root.container):
            if self.files[path].size:
                total += 1
                candidate = _join(root.repository, path[len(root.container) + 1 :])
                equal += self.repository.files.get(candidate) == self.files[path]
        return 2 * equal > total

    def _below(self, directory: str) -> Iterator[str]:
        prefix = directory.rstrip("/") + "/"
        for index in range(bisect_left(self.sorted, prefix), len(self.sorted)):
            if not self.sorted[index].startswith(prefix):
                return
            yield self.sorted[index]

    def _overlaid(self, winners: Mapping[str, Root]) -> Iterator[Root]:
        """Further directories copied into one that has a winner, or a draw: only when all of theirs is there."""
        for directory, direct in self.direct.items():
            if directory != "/" and not is_library(directory):
                winner = winners.get(directory)
                for repo, votes in direct.most_common():
                    if not (winner and winner.repository == repo) and self._is_complete(directory, repo):
                        yield Root(directory, repo, votes)

    def _single_files(self) -> Iterator[Root]:
        """Files in directories that are nobody's as a whole: "/", and site-packages.

        An installed module counts only when all of its directory is installed beside it.
        """
        for directory, direct in self.direct.items():
            if directory != "/" and _name(directory) not in LIBRARY_DIRECTORIES:
                continue
            for repo in direct:
                if directory == "/" or (self._is_complete(directory, repo) and not _is_vendored(repo)):
                    for path in self.repository.directories[repo]:
                        container = _join(directory, _name(path))
                        if self.files.get(container) == self.repository.files[path]:
                            yield Root(container, path, 1)

    def _is_complete(self, directory: str, repo: str) -> bool:
        return all(
            self.files.get(_join(directory, path if repo == "." else path[len(repo) + 1 :])) == digest
            for path, digest in self.repository.files.items()
            if digest.size and (repo == "." or path.startswith(repo + "/")) and not is_test(path)
        )


def _follows(root: Root, winners: Mapping[str, Root]) -> bool:
    for above in _ancestors(_parent(root.container)):
        if above in winners:
            return _join(winners[above].repository, root.container[len(above) :].strip("/")) == root.repository
    return False


def _ancestors(directory: str) -> Iterator[str]:
    """The directory itself and those above it, nearest first, without "/" unless that is where it starts."""
    yield directory
    while (directory := _parent(directory)) != "/":
        yield directory


def _parent(path: str) -> str:
    head, slash, _ = path.rpartition("/")
    return head or slash or "."


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _join(directory: str, rest: str) -> str:
    if not rest:
        return directory
    return rest if directory == "." else f"{directory.rstrip('/')}/{rest}"


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _is_vendored(path: str) -> bool:
    return not VENDORED.isdisjoint(path.split("/"))


def _walked(root: Path, is_dead: Callable[[str], bool]) -> Iterator[str]:
    for directory, names, files in os.walk(root):
        above = Path(directory).relative_to(root)
        names[:] = [name for name in names if not is_dead((above / name).as_posix())]
        yield from ((above / name).as_posix() for name in files if name.endswith(".py"))


def _listed_by_git(root: Path) -> Iterable[str]:
    """Tracked files, those of submodules too, and untracked ones that git doesn't ignore; nothing without an answer."""
    listed: set[str] = set()
    for selection in (["--cached", "--recurse-submodules"], ["--others", "--exclude-standard"]):
        command = ["git", "-C", str(root), "ls-files", "-z", *selection, "--", "*.py"]
        try:
            output = subprocess.run(command, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return ()
        listed.update(os.fsdecode(name) for name in output.split(b"\0") if name)
    return listed
