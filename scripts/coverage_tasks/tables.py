"""Rows of text as tables: for a terminal, and in Markdown."""

from collections.abc import Sequence

Row = dict[str, str]  # heading -> cell


def text_table(rows: Sequence[Row]) -> list[str]:
    """Lines of a table for a terminal, headings first: the first column to the left, numbers to the right."""
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))])
        for first, *rest in table
    ]


def markdown_table(rows: Sequence[Row]) -> list[str]:
    """Lines of the same table in Markdown."""
    lines = [f"| {' | '.join(map(escaped, cells))} |" for cells in (rows[0], *(row.values() for row in rows))]
    return [lines[0], f"| --- |{' ---: |' * (len(rows[0]) - 1)}", *lines[1:]]


def percent(executed: int, statements: int, precision: int = 0) -> str:
    """In words, with `precision` decimals, as `rounded_percent` rounds; "-" of nothing."""
    return f"{rounded_percent(executed, statements, precision):.{precision}f} %" if statements else "-"


def rounded_percent(executed: int, statements: int, precision: int = 0) -> float:
    """Rounded as coverage.py rounds: 0 and 100 only where it is exactly that."""
    rounded, least = round(100 * executed / statements, precision), 10**-precision
    if executed:
        rounded = max(rounded, least)
    if executed < statements:
        rounded = min(rounded, 100 - least)
    return rounded


def escaped(text: str) -> str:
    """The text as Markdown shows it, whatever it is."""
    for special in "\\`*_[]<>|":
        text = text.replace(special, f"&#{ord(special)};")
    return text
