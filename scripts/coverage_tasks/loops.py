"""The line `while True:`, for which CPython 3.8 and 3.9 write no code, and which every newer one counts."""

import ast
from collections.abc import Collection, Iterator

OLD = ("3.8.", "3.9.")  # https://github.com/python/cpython/issues/79069, undone by PEP 626


def missing_arcs(source: bytes, arcs: Collection[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The arcs to and from endless loops whose body was entered, out of the executed `arcs` of a file."""
    known = set(arcs)
    for head, body in _endless_loops(source):
        entered = {(start, end) for start, end in known if end in body and start not in body}
        found = {(start, head) for start, _ in entered} | {(head, end) for _, end in entered}
        yield from found - known
        known |= found


def missing_lines(source: bytes, lines: Collection[int]) -> Iterator[int]:
    """The lines of endless loops whose body ran, out of the executed `lines` of a file."""
    known = set(lines)
    for head, body in _endless_loops(source):
        if head not in known and not known.isdisjoint(body):
            known.add(head)
            yield head


def _endless_loops(source: bytes) -> list[tuple[int, range]]:
    """Each loop's line and the lines of the first statement in it, inner loops first."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []  # the analysis says so
    loops = (node for node in ast.walk(tree) if isinstance(node, ast.While))
    endless = (loop for loop in loops if isinstance(loop.test, ast.Constant) and loop.test.value)
    found = [(loop.lineno, range(loop.body[0].lineno, (loop.body[0].end_lineno or 0) + 1)) for loop in endless]
    return sorted(found, key=lambda loop: -loop[0])
