"""What the rules say, as an answer."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ..gates.check import Verdict
from ..text import Row, escaped, printable, table
from .answer import Answer


def of_verdicts(verdicts: Sequence[Verdict], failed_only: bool) -> Answer:
    """Return a row for each rule, unless `failed_only`, and a sentence for each that does not hold."""
    failed = [verdict for verdict in verdicts if not verdict.held]

    def lines(markdown: bool) -> Iterator[str]:
        if not failed_only:
            yield from table(_rows(verdicts), markdown)
        for verdict in failed:
            sentence = printable(f"{verdict.rule}: {verdict.sentence}")
            yield f"- {escaped(sentence) if markdown else sentence}"

    return Answer(lambda: {"version": 1, "held": not failed, "rules": [_as_json(each) for each in verdicts]}, lines)


def _as_json(verdict: Verdict) -> dict[str, Any]:
    found = asdict(verdict) | {"files": [{"path": path, "missed": weight} for path, weight in verdict.files]}
    del found["share"]
    return found | (verdict.share._asdict() if verdict.share else {})


def _rows(verdicts: Sequence[Verdict]) -> list[Row]:
    """Return a row for each rule; of those of the baseline that hold, one for all."""
    kept = [verdict for verdict in verdicts if verdict.held and verdict.rule.startswith("baseline ")]
    rows = [
        {
            "rule": printable(verdict.rule),
            "found": verdict.found,
            "wanted": verdict.wanted,
            "verdict": "held" if verdict.held else "failed",
        }
        for verdict in verdicts
        if verdict not in kept
    ]
    if kept:
        rows.append({"rule": "baseline", "found": f"{len(kept)} numbers", "wanted": "not lower", "verdict": "held"})
    return rows
