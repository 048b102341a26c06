"""The statements that an old and the present version of a source have in common."""

import ast
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from importlib.util import decode_source
from typing import NamedTuple

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")

Arc = tuple[int, int]


class _Statement(NamedTuple):
    """A statement without those inside it: first and last line, where it stands, and which one is around it."""

    first: int
    last: int
    place: tuple[str, ...]
    around: int | None


def lines_of(arcs: Iterable[Arc]) -> set[int]:
    """The lines that arcs lead from and to."""
    return {line for arc in arcs for line in arc if line > 0}


def same_statements(old: bytes, new: bytes) -> dict[int, int]:
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
