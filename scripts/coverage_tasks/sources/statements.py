"""The statements that an old and the present version of a source have in common."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from difflib import SequenceMatcher
from functools import cached_property
from importlib.util import decode_source
from typing import NamedTuple

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")

_EMPTY = re.compile(r"\s*(#|$)")

Arc = tuple[int, int]


class _Statement(NamedTuple):
    """A statement without those inside it: first and last line, where it stands, and which one is around it."""

    first: int
    last: int
    place: tuple[str, ...]
    around: int | None


def lines_of(arcs: Iterable[Arc]) -> set[int]:
    """Return the lines that arcs lead from and to."""
    return {line for arc in arcs for line in arc if line > 0}


class Outline:
    """Where a source has text that can run: of any other line it is known that nothing of it ran there."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        """`read` gives the source; it is read again when a line has nothing in it, and not kept."""
        self.read = read
        source = read()
        try:
            lines = decode_source(source).split("\n")
        except (SyntaxError, ValueError, LookupError):
            lines = source.decode("latin-1").split("\n")
        self.last = len(lines)
        # Line 1 is where a module without statements runs.
        self.empty = {n for n, line in enumerate(lines, 1) if n > 1 and _EMPTY.match(line)}

    def fits(self, lines: Collection[int]) -> bool:
        """Whether lines can be of this source: generated code that bears its name has others as a rule."""
        return not self.strange(lines)

    def strange(self, lines: Iterable[int]) -> set[int]:
        """Return those of the lines that cannot be of this source."""
        found = {line for line in lines if line > self.last or line in self.empty}
        return found - self.running if found else found

    @cached_property
    def parses(self) -> bool:
        """Whether this Python can parse it."""
        return _tree(self.read()) is not None

    @cached_property
    def running(self) -> frozenset[int]:
        """The lines of expressions that have several, as brackets and strings do, with blank ones and comments in them.

        All lines of a source that this Python cannot parse.
        """
        tree = _tree(self.read())
        if not tree:
            return frozenset(range(self.last + 1))
        alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found = (
            range(node.lineno, (node.end_lineno or 0) + 1)
            for node in ast.walk(tree)
            if isinstance(node, ast.expr) and not (isinstance(node, ast.Constant) and node in alone)
        )
        return frozenset(line for lines in found for line in lines)


def _tree(source: bytes) -> ast.AST | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def same_statements(old: bytes, new: bytes) -> dict[int, int]:
    """Return old line -> new line, of all lines of the statements that both sources have.

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
    """Return all statements, each after the one it is in; `except` and `case` with their lines are statements too."""
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
    """Return first and last line of a statement, or of its head when there are statements in it."""
    inside = {inner for block in _BLOCKS for inner in getattr(node, block, ())}
    heads = [part for child in ast.iter_child_nodes(node) if child not in inside for part in ast.walk(child)]
    firsts = [getattr(part, "lineno", None) for part in (node, *heads)]
    ends = [getattr(part, "end_lineno", None) for part in (heads if inside else (node, *heads))]
    first = min(line for line in firsts if line)
    return first, max((line for line in ends if line), default=first)
