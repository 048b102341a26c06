"""Which file of the repository a file of a container is: decided by content, never by name alone."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal, NamedTuple, Self

from .repository import Digest, Repository, is_library, is_text, joined, parent

MOST_LINKS = 40  # followed in one path; Linux's own number (MAXSYMLINKS)
MOST_ALIASES = 100
LIBRARY = "an installed library"
DRIFTED = "the source that ran is another one: rebuild the image, or check out what it was built from"
DRAW = "{} have its content, among them {}: name its place under `sources` in coverage-spy.yml"
UNREADABLE = "its source could not be read where it ran"
NO_TEXT = "its name is not UTF-8, and no report can hold it: rename the file"


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


class Links:
    """The symbolic links of a file system: absolute path -> absolute path without a link in it."""

    def __init__(self, links: Mapping[str, str]) -> None:
        """Take links as `followed` makes them."""
        self.links = links

    @classmethod
    def followed(cls, links: Mapping[str, str]) -> Self:
        """Follow links with targets as they were made: relative ones, and ones that lead through others."""
        raw = cls({link: str(PurePosixPath(parent(link), target)) for link, target in links.items()})
        return cls({link: raw.resolve(target) for link, target in raw.links.items()})

    def resolve(self, path: str) -> str:
        """Return the path without a link in it, and without "..": what the file system calls the file."""
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
        """Return further names of a directory, and of those below it that a link leads to."""
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
    """One service's answer to "which file of the repository is this?".

    `draws` are container directories that could be several of the repository's, as far as their content says.
    """

    repository: Repository
    roots: tuple[Root, ...]
    links: Links = Links({})  # noqa: RUF009 - it is never changed
    draws: tuple[str, ...] = ()

    @classmethod
    def identity(cls, repository: Repository, given: Iterable[tuple[str, str]] = ()) -> Self:
        """Return the map of processes that run on the host's own files, but for the `given` ones."""
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
        """Yield all roots that a path lies under, nearest first."""
        while True:
            yield from self._by_container.get(path, ())
            if path in ("/", ""):
                return
            path = path.rpartition("/")[0] or "/"

    def _roots_of(self, path: str) -> Iterator[Root]:
        """Yield the roots that say what a path is, nearest first: none behind one that decides."""
        for root in self._roots_above(path):
            yield root
            if root.decides:
                return

    def candidates(self, path: str) -> Iterator[str]:
        """Yield a path's repository paths by each root that it lies under, nearest first; each may be missing."""
        path = self.links.resolve(path)
        for root in self._roots_of(path):
            candidate = joined(root.repository, path[len(root.container) :].strip("/"))
            if root.binds and candidate not in self.repository.files:
                candidate = self.repository.real(candidate)
            yield candidate

    def binds(self, path: str) -> bool:
        """Return whether a path lies under a bind mount, which hides what the image has there."""
        return any(root.binds for root in self._roots_above(path))

    def decides(self, path: str) -> bool:
        """Return whether a path lies under a bind mount, or where coverage-spy.yml says what it is."""
        return any(root.decides for root in self._roots_above(path))

    def find(self, path: str, digest: Digest | None) -> Match:
        """Return the repository file a container file is, with the reason when its lines cannot be shown on it.

        `digest` is None when the source could not be read where it ran: then nothing vouches for the lines.
        """
        other, nearest = None, None
        home = self.repository.only_place(digest) if digest else None
        path = self.links.resolve(path)
        for root, candidate in zip(self._roots_of(path), self.candidates(path), strict=True):
            nearest = nearest or root
            if self.repository.holds(candidate, digest) and not (other and home):
                return Match(candidate, "same", "")
            if candidate in self.repository.files:
                other = other or candidate
        if digest and self.is_draw(path) and (places := self.repository.all_places(digest)):
            return Match(None, "unmapped", DRAW.format(f"{len(places)} files", places[0]))
        if is_library(path[len(nearest.container) :] if nearest else path):
            return Match(None, "unmapped", LIBRARY)
        if home and nearest and not nearest.decides:
            return Match(None, "unmapped", f"it is {home} by content, but {nearest.container} is {nearest.repository}")
        if other:
            return Match(other, "drifted", DRIFTED if digest else UNREADABLE)
        return Match(None, "unmapped", self._why_unmapped(digest, nearest) if is_text(path) else NO_TEXT)

    def is_draw(self, path: str) -> bool:
        """Whether a path lies in a directory that could be several."""
        return any(_is_below(path, directory) for directory in self.draws)

    def _why_unmapped(self, digest: Digest | None, nearest: Root | None) -> str:
        if not digest:
            return UNREADABLE
        if nearest and nearest.binds:
            return "git ignores it, or it is gone from the repository"
        where = f"{nearest.container} is {nearest.repository}" if nearest else "nothing else beside it comes from there"
        places = self.repository.all_places(digest)
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
        roots = {*(root.container for root in self.roots), *self.draws}
        for path in sorted(set().union(*map(self.links.aliases, roots))):
            if not any(_is_below(path, above) and not is_library(path[len(above) :]) for above in kept):
                kept.append(path)
        return kept


def _is_below(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")
