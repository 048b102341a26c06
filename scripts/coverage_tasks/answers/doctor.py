"""The doctor's verdicts, as an answer."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from ..findings import Finding
from ..text import printable
from .answer import Answer


def of_verdicts(verdicts: Sequence[Finding], services: Sequence[str]) -> Answer:
    """Return the verdicts on the stack, then on each of the services."""

    def lines(_markdown: bool) -> Iterator[str]:
        for name in ("", *services):
            own = [verdict for verdict in verdicts if verdict.service == name]
            if own or name:
                yield printable(name) or "the stack"
                yield from (f"  {line}" for line in _lines(own))

    found = [asdict(verdict) | {"trouble": verdict.trouble} for verdict in verdicts]
    return Answer(lambda: {"version": 1, "services": list(services), "verdicts": found}, lines)


def _lines(verdicts: Iterable[Finding]) -> list[str]:
    lines = []
    for verdict in verdicts:
        kind = "note" if verdict.note else verdict.trouble
        lines.append(f"{kind}: {printable(verdict.evidence)} [{verdict.kind}]")
        if verdict.remedy:
            lines.append(f"  {printable(verdict.remedy)}")
    return lines or ["nothing is wrong"]
