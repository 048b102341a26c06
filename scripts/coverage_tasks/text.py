"""Words and tables for people: numbers with their nouns, safe names, rows for a terminal and in Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence

SUMMARY_BYTES = (1 << 20) - 200  # GitHub takes 1 MiB, a last line among them

_COMMAND = re.compile(r"^(?=\s*::)\s*:|#(?=(?:vso)?\[)")
_SPACES = re.compile(r"(\s+)")
_SPECIAL = re.compile(r"[&\\`*_\[\]<>|]")
_NO_CODE = re.compile(r"([`|\\])")
# @user #1 $x$ ~label !1 %1 ^1 &1 GH-1 :shipit: www.x x://y mailto:x; GitLab's besides GitHub's.
_LINKED = re.compile(r"[@#$~]|[!%^&]\w|GH-\d|:\w[\w+-]*:|www\.|://|(?:mailto|xmpp):", re.IGNORECASE)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count} {noun if count == 1 else plural}"


def printable(text: str) -> str:
    """Return the text with everything escaped that would disturb a terminal or a line: names are anybody's.

    Runners of CI take a line that begins with :: for a command, and ##[ and ##vso[ wherever they stand.
    """
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", plain)


def some(paths: Sequence[str]) -> str:
    """Return the first of the paths and how many more there are, with the verb."""
    if len(paths) == 1:
        return f"{paths[0]} is"
    return f"{paths[0]} and {counted(len(paths) - 1, 'other file')} are"


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


Row = dict[str, str]  # heading -> cell


def text_table(rows: Sequence[Row]) -> list[str]:
    """Return lines of a table for a terminal, headings first: the first column to the left, numbers to the right."""
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))])
        for first, *rest in table
    ]


def markdown_table(rows: Sequence[Row]) -> list[str]:
    """Return lines of the same table in Markdown."""
    lines = [f"| {' | '.join(map(escaped, cells))} |" for cells in (rows[0], *(row.values() for row in rows))]
    return [lines[0], f"| --- |{' ---: |' * (len(rows[0]) - 1)}", *lines[1:]]


def table(rows: Sequence[Row], markdown: bool = False) -> list[str]:
    """Return lines of a table, in Markdown or for a terminal."""
    return markdown_table(rows) if markdown else text_table(rows)


def first_of(rows: list[Row], count: int) -> list[Row]:
    """Return as many rows, and one that says how many more there are."""
    if len(rows) <= count:
        return rows
    more = dict.fromkeys(rows[0], "")
    return [*rows[:count], more | {next(iter(more)): f"and {len(rows) - count} more"}]


def fitting(lines: Iterable[str]) -> Iterator[str]:
    """Yield as many lines as fit into GitHub's summary of a step; the last one says how many do not."""
    lines = list(lines)
    room = SUMMARY_BYTES
    for index, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            yield f"\n{len(lines) - index} more lines do not fit here: `analyze-coverage` shows them all"
            return
        yield line


def percent(executed: int, statements: int, precision: int = 0) -> str:
    """Say it in words, with `precision` decimals, as `rounded_percent` rounds; "-" of nothing."""
    return f"{rounded_percent(executed, statements, precision):.{precision}f} %" if statements else "-"


def rounded_percent(executed: int, statements: int, precision: int = 0) -> float:
    """Round as coverage.py does: to 0 and 100 only what is exactly that."""
    rounded, least = round(100 * executed / statements, precision), 10**-precision
    if executed:
        rounded = max(rounded, least)
    if executed < statements:
        rounded = min(rounded, 100 - least)
    return rounded


def escaped(text: str) -> str:
    """Return the text as Markdown shows it, whatever it is, in a cell of a table too.

    Words out of which GitHub or GitLab would make a link, a mention or a picture are code, where they leave them alone.
    They look for mentions in the text that is shown, so entities are no help there:
    https://github.com/github/cmark-gfm/issues/181.
    """
    return "".join(map(_escaped_word, _SPACES.split(text)))


def _escaped_word(word: str) -> str:
    if not _LINKED.search(word):
        return _entities(word)
    name = word.rstrip(".,:;)")  # what can be copied, without the sentence's own signs
    # What ends code, or a cell, stands between the pieces.
    pieces = _NO_CODE.split(name)
    code = (f"`{piece}`" if piece and not _NO_CODE.match(piece) else _entities(piece) for piece in pieces)
    return "".join((*code, word[len(name) :]))


def _entities(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)
