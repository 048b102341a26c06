"""Old versions of sources: what ran of one is shown on the statements that it has in common with the present one."""

import ast
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.util import decode_source
from typing import NamedTuple

from .history import Version

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")


Arc = tuple[int, int]


class Ran(NamedTuple):
    """What ran of a file: lines, arcs, and the lines that did so before the stack was ready."""

    lines: Collection[int] = ()
    arcs: Collection[Arc] = ()
    startup: Collection[int] = ()


@dataclass
class Carried:
    """A file of which an old version ran, or lies in the image unused, and what that tells of the file as it is now.

    `lines` executed ones are shown on the same statements of today, `lost` ones are no statement any more. `known` are
    today's lines that can be said anything about, executed or not; the others have changed since.
    """

    commit: str
    blob: str
    path: str
    lines: int
    lost: int
    known: list[int]


class Old:
    """What an old version of a file tells of it: `known` lines, and what ran, in today's numbers."""

    def __init__(self, version: Version) -> None:
        """Knows nothing yet."""
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
        """What is said of it in the results."""
        lines = len({*self.lines, *lines_of(self.arcs)})
        return Carried(*self.version[:3], lines, len(self.lost), sorted(self.known))


class _Statement(NamedTuple):
    """A statement without those inside it: first and last line, where it stands, and which one is around it."""

    first: int
    last: int
    place: tuple[str, ...]
    around: int | None


def lines_of(arcs: Iterable[Arc]) -> set[int]:
    """The lines that arcs lead from and to."""
    return {line for arc in arcs for line in arc if line > 0}


def carry(old: bytes, new: bytes) -> dict[int, int]:
    """Old line -> new line, of all lines of the statements that both sources have.

    A statement is the same when all of its lines lie in a block of equal lines, in the function, method or class of the
    same name, and when the statements around it up to there are the same: what stands below another `if` or `except`
    now is another one. Nothing when one of the two cannot be parsed.
    """
    try:
        olds, news = _statements(old), _statements(new)
        equal = _equal_lines(decode_source(old).split("\n"), decode_source(new).split("\n"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    there = {(found.first, found.last, found.place): index for index, found in reversed([*enumerate(news)])}
    same: dict[int, int] = {}
    lines: dict[int, int] = {}
    for index, found in enumerate(olds):
        own = range(found.first, found.last + 1)
        if not all(line in equal for line in own):
            continue
        other = there.get((equal[found.first], equal[found.last], found.place))
        if other is not None and (None if found.around is None else same.get(found.around, -1)) == news[other].around:
            same[index] = other
            lines |= {line: equal[line] for line in own}
    return lines


def _equal_lines(old: list[str], new: list[str]) -> dict[int, int]:
    blocks = SequenceMatcher(None, old, new).get_matching_blocks()
    return {block.a + at: block.b + at for block in blocks for at in range(1, block.size + 1)}


def _statements(source: bytes) -> list[_Statement]:
    """All statements, each after the one it is in; `except` and `case` with their lines are statements too."""
    found: list[_Statement] = []
    names: Counter[tuple[str, ...]] = Counter()

    def visit(node: ast.AST, scope: tuple[str, ...], around: int | None) -> None:
        for block in _BLOCKS:
            for inner in getattr(node, block, ()):
                first, last = _own_lines(inner)
                found.append(_Statement(first, last, (*scope, block, type(inner).__name__), around))
                if isinstance(inner, _SCOPES):
                    name = (*scope, inner.name)
                    names[name] += 1
                    visit(inner, (*name, str(names[name])), None)
                else:
                    visit(inner, scope, len(found) - 1)

    visit(ast.parse(source), (), None)
    return found


def _own_lines(node: ast.AST) -> tuple[int, int]:
    """First and last line of a statement, or of its head when there are statements in it."""
    inside = {inner for block in _BLOCKS for inner in getattr(node, block, ())}
    heads = [part for child in ast.iter_child_nodes(node) if child not in inside for part in ast.walk(child)]
    firsts = [getattr(part, "lineno", None) for part in (node, *heads)]
    ends = [getattr(part, "end_lineno", None) for part in (heads if inside else (node, *heads))]
    first = min(line for line in firsts if line)
    return first, max((line for line in ends if line), default=first)
