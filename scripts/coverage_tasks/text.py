"""Words and tables for people: numbers with their nouns, safe names, rows for a terminal and in Markdown."""

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is one."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count} {noun if count == 1 else plural}"


def printable(text: str) -> str:
    """The text with everything escaped that would disturb a terminal or a line: names are anybody's."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def some(paths: Sequence[str]) -> str:
    """The first of the paths and how many more there are, with the verb."""
    if len(paths) == 1:
        return f"{paths[0]} is"
    return f"{paths[0]} and {counted(len(paths) - 1, 'other file')} are"


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


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


def table(rows: Sequence[Row], markdown: bool = False) -> list[str]:
    """Lines of a table, in Markdown or for a terminal."""
    return markdown_table(rows) if markdown else text_table(rows)


def first_of(rows: list[Row], count: int) -> list[Row]:
    """As many rows, and one that says how many more there are."""
    if len(rows) <= count:
        return rows
    more = dict.fromkeys(rows[0], "")
    return [*rows[:count], more | {next(iter(more)): f"and {len(rows) - count} more"}]


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
