"""What ran of each file of the repository, in the numbers of its lines today."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..files import read_file
from ..sources.history import Version
from ..sources.repository import LARGEST_SOURCE
from ..sources.statements import Arc, lines_of
from .model import Carried


class Ran(NamedTuple):
    """What ran of a file: lines, arcs, and the lines that did so before the stack was ready."""

    lines: Collection[int] = ()
    arcs: Collection[Arc] = ()
    startup: Collection[int] = ()


class Old:
    """What an old version of a file tells of it: `known` lines, and what ran, in today's numbers."""

    def __init__(self, version: Version) -> None:
        """Begin with nothing."""
        self.version = version
        self.known: set[int] = set()
        self.lost: set[int] = set()
        self.lines: set[int] = set()
        self.arcs: set[Arc] = set()
        self.startup: set[int] = set()

    def add(self, same: Mapping[int, int], ran: Ran) -> None:
        """Take what `ran` in old numbers; `same` leads from the old lines to today's, as `carry` finds them."""
        self.known.update(same.values())
        self.lines.update(same[line] for line in ran.lines if line in same)
        self.startup.update(same[line] for line in ran.startup if line in same)
        self.lost.update(line for line in {*ran.lines, *lines_of(ran.arcs)} if line not in same)
        for arc in ran.arcs:
            ends = [same[abs(line)] * (1 if line > 0 else -1) for line in arc if abs(line) in same]
            if len(ends) == 2:
                self.arcs.add((ends[0], ends[1]))
            elif ends and ends[0] > 0:
                self.arcs.add((ends[0], ends[0]))  # the other end is another statement now, but this one ran

    @property
    def ran(self) -> Ran:
        """What ran, in today's numbers."""
        return Ran(self.lines, self.arcs, self.startup)

    def carried(self) -> Carried:
        """Return what is said of it in the results."""
        lines = len({*self.lines, *lines_of(self.arcs)})
        return Carried(*self.version[:3], lines, len(self.lost), sorted(self.known))


@dataclass
class Painted:
    """What one service executed, by repository file; `startup` are the lines that ran before the stack was ready."""

    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    arcs: dict[str, set[Arc]] = field(default_factory=lambda: defaultdict(set))
    startup: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, path: str, ran: Ran) -> None:
        """Add what ran of a file."""
        if ran.lines:
            self.lines[path].update(ran.lines)
        if ran.arcs:
            self.arcs[path].update(ran.arcs)
        if ran.startup:
            self.startup[path].update(ran.startup)

    def complete_loops(self, root: Path) -> None:
        """Add the endless loops that an old Python did not record."""
        for path, lines in self.lines.items():
            lines.update(missing_lines(read_file(root / path, LARGEST_SOURCE), lines))
        for path, arcs in self.arcs.items():
            arcs.update(missing_arcs(read_file(root / path, LARGEST_SOURCE), arcs))


OLD = ("3.8.", "3.9.")  # https://github.com/python/cpython/issues/79069, undone by PEP 626


def missing_arcs(source: bytes, arcs: Collection[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the arcs to and from endless loops whose body was entered, out of the executed `arcs` of a file."""
    known = set(arcs)
    for head, body in _endless_loops(source):
        entered = {(start, end) for start, end in known if end in body and start not in body}
        found = {(start, head) for start, _ in entered} | {(head, end) for _, end in entered}
        yield from found - known
        known |= found


def missing_lines(source: bytes, lines: Collection[int]) -> Iterator[int]:
    """Yield the lines of endless loops whose body ran, out of the executed `lines` of a file."""
    known = set(lines)
    for head, body in _endless_loops(source):
        if head not in known and not known.isdisjoint(body):
            known.add(head)
            yield head


def _endless_loops(source: bytes) -> list[tuple[int, range]]:
    """Return each loop's line and the lines of the first statement in it, inner loops first."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []  # the analysis says so
    loops = (node for node in ast.walk(tree) if isinstance(node, ast.While))
    endless = (loop for loop in loops if isinstance(loop.test, ast.Constant) and loop.test.value)
    found = [(loop.lineno, range(loop.body[0].lineno, (loop.body[0].end_lineno or 0) + 1)) for loop in endless]
    return sorted(found, key=lambda loop: -loop[0])
