"""Candidates for dead code: files that no service imported and functions that none executed, saved runs included."""

import sqlite3
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import decode_source
from pathlib import Path
from typing import NamedTuple

from coverage.regions import code_regions

from ..combined.model import Combined, read_record_of
from ..errors import TaskError
from ..files import require_file
from ..progress import Stage, advance
from ..project import Project
from ..results.lines import Function
from ..results.results import Results
from ..sources.history import History
from ..sources.repository import Digest, digest_of
from ..text import printable
from .data_files import LARGEST_DATA, require_sound
from .store import COMBINED, DATA, newest_first

# coverage.py's own reading of 2,000 files takes 0.3 s a run; https://coverage.readthedocs.io/en/latest/dbschema.html
_LINES = "select file_id, numbits from line_bits where context_id in (select id from context where counts(context))"
_ARCS = """
select distinct file_id, fromno, tono from arc where context_id in (select id from context where counts(context))
"""

Bits = int  # a set of lines: bit n is line n


class Unused(NamedTuple):
    """A function that nobody executed; `runs` is how many of the runs know of it, the present one among them."""

    path: str
    function: Function
    runs: int


@dataclass(frozen=True)
class Candidates:
    """What ran neither in the present run nor in the saved `runs`, which are named newest first.

    `files` have how many of the runs know of them, the present one among them. `notes` are sentences about saved runs
    that could not be read.
    """

    files: Mapping[str, int]
    functions: list[Unused]
    runs: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Past:
    """A saved run: what its services `executed`, by path; `known` are the files that it tells of."""

    combined: Combined
    executed: Mapping[str, Bits]
    known: Collection[str]

    @classmethod
    def read(cls, directory: Path, present: Combined, services: Collection[str]) -> "_Past":
        """Read a run, of these services only, where there are any. Raise OSError, ValueError or sqlite3.Error.

        It tells of a file for every service that has it in the `present` run, or not at all.
        """
        whole = read_record_of(directory / COMBINED)
        kept = {name: result for name, result in whole.services.items() if not services or name in services}
        untold = (
            path
            for name, result in present.services.items()
            for path in {*result.files}.difference(kept[name].files if name in kept else ())
        )
        executed = _executed(directory / DATA, whole.branch, services)
        return cls(replace(whole, services=kept), executed, whole.digests.keys() - set(untold))

    @cached_property
    def partly(self) -> Mapping[str, Collection[int]]:
        """The lines that are known of the files that are known in part."""
        known = ((path, self.combined.known_lines(path)) for r in self.combined.services.values() for path in r.carried)
        return {path: lines for path, lines in known if lines is not None}


class _Suspects:
    """What is still a candidate while one saved run after the other is looked at: how many runs know of it."""

    def __init__(self, results: Results, root: Path) -> None:
        """Begin with all that did not run in the present run."""
        self.digests = results.combined.digests
        self.files = dict.fromkeys(results.never_imported(), 1)
        self.functions = [(path, function, _bits(function.lines), 1) for path, function in results.never_executed()]
        self._history = History(root)
        self._old: dict[tuple[str, Digest], dict[str, Bits]] = {}

    def look_at(self, past: _Past) -> None:
        """Strike out what ran in a saved run, and count the run for what it knows of."""
        imported = past.combined.imported
        self.files = {path: runs + (path in past.known) for path, runs in self.files.items() if path not in imported}
        self._read_old(past)
        kept = []
        for path, function, lines, runs in self.functions:
            then, known = self._then(past, path, function, lines)
            if not past.executed.get(path, 0) & then:
                kept.append((path, function, lines, runs + (known and path in past.known)))
        self.functions = kept

    def _then(self, past: _Past, path: str, function: Function, lines: Bits) -> tuple[Bits, bool]:
        """Return the lines of a function in a saved run's source, and whether all of it is known there.

        In another version of the file it is all that bears its name, whatever has become of its statements: who calls
        it today would have called that.
        """
        digest, partly = past.combined.digests.get(path), past.partly.get(path)
        if digest == self.digests.get(path):
            return lines, partly is None or function.statements.issubset(partly)
        then = self._old.get((path, digest), {}).get(function.name, 0) if digest else 0
        return then, bool(then) and partly is None

    def _read_old(self, past: _Past) -> None:
        """Find the functions in the sources of a saved run that have changed since, where git has them."""
        digests, old = past.combined.digests, {}
        for path in {path for path, *_ in self.functions} & digests.keys():
            if digests[path] != self.digests.get(path) and (path, digests[path]) not in self._old:
                old[path] = digests[path]
        texts = self._history.contents(past.combined.commit, old) if old else {}
        for path, text in texts.items():
            if digest_of(text) == old[path]:
                self._old[path, old[path]] = _functions(text)


def find_candidates(project: Project, results: Results, services: Collection[str], most: int) -> Candidates:
    """Return what ran neither in the present run, whose `results` are given, nor in the last `most` saved ones.

    Of `services` only, where there are any, as the results are. A file is struck out by any run that imported it, in
    whatever version, a function by any that executed the one of its name. What a run does not know of, because the file
    was not in it or a service was silent, is no evidence and not counted.
    """
    suspects = _Suspects(results, project.root)
    # One that was saved under two names, or is the present one, is no further evidence.
    by_time = {started: name for name, started in newest_first(project).items()}
    names = [name for started, name in by_time.items() if started != results.combined.started]
    runs: list[str] = []
    notes = []
    with Stage("reading the saved runs", min(most, len(names)), "run"):
        for name in names if most else ():
            try:
                suspects.look_at(_Past.read(project.runs / name, results.combined, services))
            except (OSError, ValueError, TaskError, sqlite3.Error) as error:
                notes.append(printable(f"the saved run {name} is left out, it cannot be read ({error}): remove it"))
                continue
            runs.append(name)
            advance()
            if len(runs) == most:
                break
    return Candidates(
        suspects.files,
        [Unused(path, function, count) for path, function, _, count in suspects.functions],
        tuple(runs),
        tuple(notes),
    )


def _executed(file: Path, branch: bool, services: Collection[str]) -> dict[str, Bits]:
    """Return path -> executed lines, out of a data file of coverage.py's that nothing is written to."""
    executed: dict[int, Bits] = defaultdict(int)
    require_file(file, LARGEST_DATA)
    require_sound(file)
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as data:
        data.create_function("counts", 1, lambda context: not services or context in services)
        if branch:
            for number, start, end in data.execute(_ARCS):
                executed[number] |= 1 << max(start, 0) | 1 << max(end, 0)
        else:
            for number, numbits in data.execute(_LINES):
                executed[number] |= int.from_bytes(numbits, "little")
        return {path: executed[number] for number, path in data.execute("select id, path from file")}


def _functions(source: bytes) -> dict[str, Bits]:
    """Return qualified name -> the lines of all functions that bear it; nothing of what cannot be parsed."""
    found: dict[str, Bits] = defaultdict(int)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            regions = code_regions(decode_source(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    for region in regions:
        if region.kind == "function":
            found[region.name] |= _bits(region.lines)
    return dict(found)


def _bits(lines: Iterable[int]) -> Bits:
    return sum(1 << line for line in lines)
