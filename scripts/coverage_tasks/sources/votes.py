"""Maps each container directory to a repository directory by vote: every file votes for where its content is found."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from .dockerfile import is_copied
from .maps import Filesystem, Links, Root, SourceMap
from .repository import LIBRARY_DIRECTORIES, Digest, Repository, is_library, is_test, joined, parent

# Whatever lies there need not come from one place.
SHARED_DIRECTORIES = frozenset({"/", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"})
VENDORED = frozenset({"vendor", "vendors", "vendored", "_vendor", "_vendored", "third_party", "extern"})


def map_sources(system: Filesystem, repository: Repository) -> SourceMap:
    """Map one service's files to the repository, by vote where nobody says where they come from.

    What lies below a bind mount, or a directory that coverage-spy.yml names, is never put to the vote. A file whose
    content is unique in the repository, under the same name, votes for the directory it lies in there, and so does one
    that is known for an old content. Directories without such files take what their subdirectories agree on. Per
    directory the most votes win; a draw has no winner. A file that is in nobody's place is mapped alone when the
    Dockerfile copies it, by its own name or its directory's.
    """
    bound = tuple(Root(system.links.resolve(place), path, by="bind") for place, path in dict(system.binds).items())
    hidden = SourceMap(repository, bound)
    links = Links({link: target for link, target in system.links.links.items() if not hidden.binds(link)})
    given = tuple(Root(links.resolve(place), path, by="setting") for place, path in system.given)
    decided = SourceMap(repository, given + bound)
    files = {links.resolve(path): digest for path, digest in system.files.items()}
    visible = {path: digest for path, digest in files.items() if not decided.decides(path)}
    election = _Election(visible, repository, system.past)
    voted = SourceMap(repository, (*decided.roots, *election.roots()))
    found = SourceMap(repository, (*voted.roots, *_copied_alone(visible, system.copied, voted)), links)
    return replace(found, draws=tuple(election.draws(found)))


def _copied_alone(
    files: Mapping[str, Digest], copied: Collection[tuple[str, str]], source_map: SourceMap
) -> Iterator[Root]:
    """Yield files that no directory accounts for, and that the Dockerfile says are copies."""
    for path, digest in files.items():
        home = source_map.repository.only_place(digest)
        if home and is_copied(home, path, copied) and source_map.find(path, digest).state != "same":
            yield Root(path, home, 1, "Dockerfile")


class _Election:
    """The vote on one service's directories."""

    def __init__(self, files: Mapping[str, Digest], repository: Repository, past: Mapping[Digest, str]) -> None:
        self.files = files
        self.sorted = sorted(files)
        self.repository = repository
        self.direct: dict[str, Counter[str]] = defaultdict(Counter)  # by files in the directory itself
        self.handed_up: dict[str, Counter[str]] = defaultdict(Counter)  # by its subdirectories
        self.children: dict[str, Counter[str]] = defaultdict(Counter)  # how many subdirectories said so
        for path, digest in files.items():
            home = repository.only_place(digest) or past.get(digest)
            if home and _name(home) == _name(path):
                self.direct[parent(path)][parent(home)] += 1

    def roots(self) -> list[Root]:
        """Return the winners, without those that follow from the winner of a directory above."""
        winners = {root.container: root for root in self._winners()}
        overlaid = list(self._overlaid(winners))
        shared = {root.container for root in overlaid}
        kept = [root for root in winners.values() if root.container in shared or not _follows(root, winners)]
        return sorted([*kept, *overlaid, *self._single_files()], key=lambda root: root.container)

    def draws(self, found: SourceMap) -> list[str]:
        """Return the directories that nobody won since all they have lies in several places of the repository."""
        homes: dict[str, set[str]] = defaultdict(set)
        for path, digest in self.files.items():
            places = {parent(home) for home in self.repository.all_places(digest) if _name(home) == _name(path)}
            if len(places) > 1 and not _is_nobodys(parent(path)):
                homes[parent(path)] |= places
        draws: list[str] = []
        for directory, places in sorted(homes.items()):
            if next(found.candidates(directory), None) or any(above in draws for above in _ancestors(directory)):
                continue
            if not is_library(directory) or sum(self._is_installed_from(Root(directory, p)) for p in places) > 1:
                draws.append(directory)
        return draws

    def _winners(self) -> Iterator[Root]:
        directories = {above for directory in self.direct for above in _ancestors(directory)}
        for directory in sorted(directories, key=lambda d: (-d.count("/"), d)):
            if _is_nobodys(directory):
                continue
            direct, handed_up = self.direct[directory], self.handed_up[directory]
            ranked = sorted(
                ((direct[repo], handed_up[repo], repo) for repo in direct or handed_up), key=lambda r: (-r[0], -r[1])
            )
            if not ranked or (len(ranked) > 1 and ranked[0][:2] == ranked[1][:2]):
                continue
            root = Root(directory, ranked[0][2], ranked[0][0] + ranked[0][1])
            above = parent(directory)
            if _name(directory) == _name(root.repository) and not _is_nobodys(above):
                self.handed_up[above][parent(root.repository)] += root.votes
                self.children[above][parent(root.repository)] += 1
            if self._is_sensible(root):
                yield root

    def _is_sensible(self, root: Root) -> bool:
        directory = root.container
        if self.direct[directory]:
            needed = True
        else:  # all votes came up: is there a file that needs this one? Installed distributions share a namespace.
            files = self.repository.directories.get(root.repository, ())
            several = self.children[directory][root.repository] > 1 and not is_library(directory)
            needed = several or any(joined(directory, _name(path)) in self.files for path in files)
        return needed and (not is_library(directory) or self._is_installed_from(root))

    def _is_installed_from(self, root: Root) -> bool:
        """Return whether installed code comes from the repository, and is not the twin of a vendored copy.

        It has the same import path there, and more than half of its files have the same content.
        """
        parts = root.container.split("/")
        last = max(i for i, part in enumerate(parts) if part in LIBRARY_DIRECTORIES)
        package = parts[last + 1 :]
        if root.repository.split("/")[-len(package) :] != package or _is_vendored(root.repository):
            return False
        equal = total = 0
        for path in self._below(root.container):
            if self.repository.tells(self.files[path]):
                total += 1
                candidate = joined(root.repository, path[len(root.container) + 1 :])
                equal += self.repository.holds(candidate, self.files[path])
        return 2 * equal > total

    def _below(self, directory: str) -> Iterator[str]:
        prefix = directory.rstrip("/") + "/"
        for index in range(bisect_left(self.sorted, prefix), len(self.sorted)):
            if not self.sorted[index].startswith(prefix):
                return
            yield self.sorted[index]

    def _overlaid(self, winners: Mapping[str, Root]) -> Iterator[Root]:
        """Yield further directories copied into one that has a winner, or a draw: only when all of theirs is there."""
        for directory, direct in self.direct.items():
            if not _is_nobodys(directory) and not is_library(directory):
                winner = winners.get(directory)
                for repo, votes in direct.most_common():
                    others = {*direct, winner.repository if winner else repo} - {repo}
                    if not (winner and winner.repository == repo) and self._is_complete(directory, repo, others):
                        yield Root(directory, repo, votes)

    def _single_files(self) -> Iterator[Root]:
        """Yield files in directories that are nobody's as a whole.

        An installed module counts only when all of its directory is installed beside it.
        """
        for directory, direct in self.direct.items():
            if not _is_nobodys(directory):
                continue
            for repo in direct:
                if directory in SHARED_DIRECTORIES or (
                    self._is_complete(directory, repo, ()) and not _is_vendored(repo)
                ):
                    for path in self.repository.directories[repo]:
                        container = joined(directory, _name(path))
                        if self.repository.holds(path, self.files.get(container)):
                            yield Root(container, path, 1)

    def _is_complete(self, directory: str, repo: str, others: Collection[str]) -> bool:
        """Return whether all files of a repository directory are there.

        A build stamps versions into some, so one that none of the `others` has may have another content.
        """
        for path, digest in self.repository.files.items():
            if self.repository.tells(digest) and (repo == "." or path.startswith(repo + "/")) and not is_test(path):
                rest = path if repo == "." else path[len(repo) + 1 :]
                found = self.files.get(joined(directory, rest))
                stamped = found and others and not any(joined(o, rest) in self.repository.files for o in others)
                if not self.repository.holds(path, found) and not stamped:
                    return False
        return True


def _is_nobodys(directory: str) -> bool:
    return directory in SHARED_DIRECTORIES or _name(directory) in LIBRARY_DIRECTORIES


def _follows(root: Root, winners: Mapping[str, Root]) -> bool:
    for above in _ancestors(parent(root.container)):
        if above in winners:
            return joined(winners[above].repository, root.container[len(above) :].strip("/")) == root.repository
    return False


def _ancestors(directory: str) -> Iterator[str]:
    """Yield the directory itself and those above it, nearest first, without "/" unless that is where it starts."""
    yield directory
    while (directory := parent(directory)) != "/":
        yield directory


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _is_vendored(path: str) -> bool:
    return not VENDORED.isdisjoint(path.split("/"))
