"""The saved runs, and what sets of runs come to, as answers."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ..combined.model import Combined
from ..runs.sets import Combination, Part
from ..text import Row, escaped, percent, printable, table
from .answer import Answer


def of_saved(saved: Mapping[str, Combined]) -> Answer:
    """Return a row for each saved run, by name."""
    found = {
        name: {"started": run.started, "commit": run.commit, "services": sorted(run.services)}
        for name, run in saved.items()
    }
    return Answer(lambda: {"version": 1, "runs": found}, lambda markdown: table(_saved_rows(saved), markdown))


def _saved_rows(saved: Mapping[str, Combined]) -> list[Row]:
    return [
        {
            "run": name,
            "recorded": time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started)),
            "commit": printable(run.commit[:10]),
            "services": str(len(run.services)),
            "files": str(len(run.files)),
        }
        for name, run in saved.items()
    ]


def of_combination(combination: Combination) -> Answer:
    """Return a row for each directory, and a sentence for what is left out."""
    return Answer(lambda: _as_json(combination), lambda markdown: _lines(combination, markdown))


def _lines(combination: Combination, markdown: bool) -> Iterator[str]:
    yield from table(_rows(combination), markdown)
    left_out = (f"{path} is left out: {reason}" for path, reason in combination.incomparable.items())
    for sentence in (*map(printable, left_out), *combination.notes):
        yield f"- {escaped(sentence) if markdown else sentence}"


def _rows(combination: Combination) -> list[Row]:
    directories: dict[str, list[Part]] = defaultdict(list)
    for path, part in combination.files.items():
        directories[str(PurePosixPath(path).parent)].append(part)

    def row(name: str, parts: Sequence[Part]) -> Row:
        statements, result = sum(len(part.statements) for part in parts), sum(len(part.result) for part in parts)
        each = {
            f"in {printable(run)}": str(sum(len(part.executed[number]) for part in parts))
            for number, run in enumerate(combination.runs)
        }
        return {
            "directory": printable(name),
            "files": str(len(parts)),
            "statements": str(statements),
            **each,
            combination.operation: str(result),
            "cover": percent(result, statements),
        }

    rows = [row(directory, directories[directory]) for directory in sorted(directories)]
    return [*rows, row("all", list(combination.files.values()))]


def _as_json(combination: Combination) -> dict[str, Any]:
    return {
        "version": 1,
        "operation": combination.operation,
        "runs": list(combination.runs),
        "files": {
            path: {"statements": len(part.statements), "lines": sorted(part.result)}
            for path, part in combination.files.items()
        },
        "incomparable": dict(combination.incomparable),
        "notes": list(combination.notes),
    }
