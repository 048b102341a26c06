"""Old versions of the repository's files, out of git: what a container runs that the checkout no longer has."""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

from ..git import ask
from .repository import Digest, digest_of

# The search is bounded: what is not found among these is as unknown as without git.
MOST_COMMITS = 20_000
SECONDS = 10  # for each question to git

_COMMIT = re.compile("[0-9a-f]{40,64}")

Wanted = Mapping[str, Collection[Digest]]  # name of a file without its directory -> digests


class Version(NamedTuple):
    """A version of a file: the newest commit with it, its blob, and its repository-relative path then and now.

    `now` is None when there is no such file any more.
    """

    commit: str
    blob: str
    path: str
    now: str | None


class History:
    """What git holds of a directory's Python files, those of submodules too; nothing without git.

    Nothing is fetched: neither what a shallow clone nor what a partial one lacks.
    """

    def __init__(self, root: Path) -> None:
        """Ask git nothing yet."""
        self.root = root
        self._renames = cache(self._read_renames)

    @property
    def commit(self) -> str:
        """The commit that is checked out; "" when there is none."""
        return self._git("rev-parse", "--verify", "--quiet", "HEAD").decode().strip()

    @property
    def shallow(self) -> bool:
        """Whether the clone lacks older commits."""
        return self._git("rev-parse", "--is-shallow-repository").strip() == b"true"

    def find(self, wanted: Wanted) -> dict[Digest, list[Version]]:
        """Return digest -> the versions with it under one of the wanted names, by path, the newest first."""
        found: dict[Digest, list[Version]] = defaultdict(list)
        for digest, version in self._versions(wanted):
            if not any(known.path == version.path for known in found[digest]):
                found[digest].append(version)
        for prefix in self._submodules:
            for digest, versions in History(self.root / prefix).find(wanted).items():
                found[digest] += [
                    v._replace(path=f"{prefix}/{v.path}", now=v.now and f"{prefix}/{v.now}") for v in versions
                ]
        return dict(found)

    def read(self, version: Version) -> bytes:
        """Return the content of a version; empty when git no longer has it."""
        content = self._git("cat-file", "blob", version.blob)
        for prefix in () if content else self._submodules:
            content = content or History(self.root / prefix).read(version)
        return content

    def contents(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the files as they are in a commit, by path, as far as git has it and them."""
        if not _COMMIT.fullmatch(commit):
            return {}
        asked = [path for path in paths if "\n" not in path]
        names = [f"{commit}:./{path}" for path in asked]
        answer = self._git("cat-file", "--batch=%(objecttype) %(objectsize)", given=names)
        found, at = {}, 0
        for path in asked:
            end = answer.find(b"\n", at)
            kind, _, size = answer[at : max(end, at)].partition(b" ")
            at = end + 1
            if size.isdigit():
                if kind == b"blob":
                    found[path] = answer[at : at + int(size)]
                at += int(size) + 1
        return found

    def _versions(self, wanted: Wanted) -> Iterator[tuple[Digest, Version]]:
        candidates = list(self._candidates(wanted))
        sizes = {digest.size for digests in wanted.values() for digest in digests}
        blobs = self._of_sizes({blob for _, blob, _ in candidates}, sizes)
        digests = dict(self._digests(blobs))
        for commit, blob, path in candidates:
            digest = digests.get(blob)
            if digest and digest in wanted[path.rpartition("/")[2]]:
                yield digest, Version(commit, blob, path, self._path_now(commit, path))

    def _candidates(self, wanted: Wanted) -> Iterator[tuple[str, str, str]]:
        """Yield (commit, blob, path) of every version under the wanted names in any branch, the newest first."""
        # All names at once: git takes longer to compare each path with many names than to print them all.
        listed = self._git(
            "log", "HEAD", "--all", "-m", "--raw", "--no-abbrev", "--no-renames", "--relative", "--format=%H",
            f"--max-count={MOST_COMMITS}", "--", "*.py",
        )  # fmt: skip
        commit = ""
        for line in os.fsdecode(listed).splitlines():
            if line.startswith(":"):
                change, _, path = line.partition("\t")
                _, mode, _, blob, _ = change.split()
                # Not what is gone in a commit, nor a link.
                if mode.startswith("100") and path.rpartition("/")[2] in wanted:
                    yield commit, blob, path
            elif line:
                commit = line

    def _of_sizes(self, blobs: Collection[str], sizes: Collection[int]) -> list[str]:
        answer = self._git("cat-file", "--batch-check=%(objectname) %(objectsize)", given=sorted(blobs))
        pairs = (line.split() for line in answer.decode().splitlines())
        return [pair[0] for pair in pairs if len(pair) == 2 and pair[1].isdecimal() and int(pair[1]) in sizes]

    def _digests(self, blobs: Sequence[str]) -> Iterator[tuple[str, Digest]]:
        answer = self._git("cat-file", "--batch=%(objectname) %(objectsize)", given=blobs)
        at = 0
        while (end := answer.find(b"\n", at)) != -1:
            blob, size = answer[at:end].decode().split()
            at = end + 1 + int(size) + 1
            if at <= len(answer):
                yield blob, digest_of(answer[end + 1 : at - 1])

    def _path_now(self, commit: str, path: str) -> str | None:
        if (self.root / path).is_file():
            return path
        return self._renames(commit).get(path)

    def _read_renames(self, commit: str) -> dict[str, str]:
        """Return path at that commit -> path in the checkout, of files that git takes for renamed since."""
        listed = self._git("diff", "--raw", "--find-renames", "--diff-filter=R", "--relative", commit, "--", "*.py")
        fields = (line.split("\t") for line in os.fsdecode(listed).splitlines())
        return {field[1]: field[2] for field in fields if len(field) == 3}

    @cached_property
    def _submodules(self) -> list[str]:
        entries = os.fsdecode(self._git("ls-files", "--stage")).splitlines()
        return [entry.partition("\t")[2] for entry in entries if entry.startswith("160000")]

    def _git(self, *arguments: str, given: Iterable[str] = ()) -> bytes:
        """Return what git prints, as far as it got; nothing when there is none to ask."""
        return ask(self.root, *arguments, given=given, seconds=SECONDS).output
