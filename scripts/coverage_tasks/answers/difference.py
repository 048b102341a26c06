"""What changed from one run to another, as an answer."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from coverage.results import format_lines

from ..runs.difference import KINDS, Difference, Numbers
from ..text import Row, escaped, printable, table
from .answer import Answer

# Files of each kind that the tables name; --json has all.
SHOWN = 20


def of_difference(difference: Difference) -> Answer:
    """Return tables per directory and per service, and a sentence for what they do not say."""
    return Answer(lambda: _as_json(difference), lambda markdown: _lines(difference, markdown))


def _lines(difference: Difference, markdown: bool) -> Iterator[str]:
    title = f"From {printable(difference.old)} to {printable(difference.new)}"
    yield f"# {escaped(title)}" if markdown else title
    directories = {**difference.of_directories(), "all": difference.total()}
    for heading, found in (("directory", directories), ("service", difference.of_services())):
        if found:
            yield ""
            yield from table([_row(heading, name, numbers) for name, numbers in found.items()], markdown)
    sentences = [*_sentences(difference)]
    if sentences:
        yield ""
        yield from (f"- {escaped(each) if markdown else each}" for each in sentences)


def _row(heading: str, name: str, numbers: Numbers) -> Row:
    return {
        heading: printable(name),
        "files": str(numbers.files),
        "statements": str(numbers.after.of),
        "before": str(numbers.before),
        "after": str(numbers.after),
        "newly covered": str(numbers.covered),
        "newly lost": str(numbers.lost),
        "gone": str(numbers.gone),
        "new and not executed": str(numbers.untested),
    }


def _sentences(difference: Difference) -> Iterator[str]:
    """Yield what the tables do not say: which files, the weightiest first, and what could not be compared."""
    whole = dict.fromkeys(difference.newly_lost(), ", and nothing of it is executed any more")
    whole |= dict.fromkeys(difference.newly_covered(), ", and nothing of it was before")
    for kind, words in KINDS.items():
        ranked = difference.ranked(kind)
        for path, found in islice(ranked.items(), SHOWN):
            lines = format_lines(difference.files[path].statements, found)
            noun = "line" if len(found) == 1 else "lines"
            yield f"{words} in {printable(path)}: {noun} {lines}{'' if kind == 'untested' else whole.get(path, '')}"
        if len(ranked) > SHOWN:
            yield f"{words}: {len(ranked) - SHOWN} more files, see --json"
    for name, reason in difference.unknown_services.items():
        yield printable(f"{name} is not compared: {reason}")
    for path, reason in difference.incomparable.items():
        yield printable(f"{path} is not comparable: {reason}")
    yield from difference.notes


def _as_json(difference: Difference) -> dict[str, Any]:
    def numbers(found: Mapping[str, Numbers]) -> dict[str, Any]:
        return {
            name: asdict(each) | {"before": each.before._asdict(), "after": each.after._asdict()}
            for name, each in found.items()
        }

    return {
        "version": 1,
        "old": difference.old,
        "new": difference.new,
        **numbers({"totals": difference.total()}),
        "directories": numbers(difference.of_directories()),
        "services": numbers(difference.of_services()),
        "files": {
            path: {
                "covered": sorted(change.covered),
                "lost": sorted(change.lost),
                "untested": sorted(change.untested),
                "gone": change.gone,
            }
            for path, change in difference.files.items()
            if change
        },
        "newly_covered": difference.newly_covered(),
        "newly_lost": difference.newly_lost(),
        "incomparable": dict(difference.incomparable),
        "unknown_services": dict(difference.unknown_services),
        "notes": list(difference.notes),
    }
