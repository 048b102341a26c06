"""Findings that somebody can read, however many things there are to say: those of one kind are few, and short."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..findings import Finding

ALONE = 3  # findings that differ in their subject only, and are not too many
OF_A_KIND = 20
LONGEST = 1000  # characters; a receipt's words may be megabytes


def grouped(kind: str, found: Iterable[tuple[str, str, str]]) -> Iterator[Finding]:
    """Yield a finding for each subject, what is said of it, and the remedy.

    Of many subjects of which the same is said the first ones are named, and the others counted.
    """
    subjects: dict[tuple[str, str], list[str]] = defaultdict(list)
    for subject, said, remedy in found:
        subjects[said, remedy].append(subject)
    for (said, remedy), same in subjects.items():
        if len(same) <= ALONE:
            yield from (Finding("", kind, f"{subject} {said}", remedy) for subject in same)
        else:
            others = f"and so it is with {len(same) - 1} others, such as {same[1]} and {same[2]}"
            yield Finding("", kind, f"{same[0]} {said}, {others}", remedy)


def limited(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the first findings of each service and kind, shortened, and how many more there are."""
    by_kind: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        by_kind[finding.service, finding.kind].append(finding)
    for (service, kind), same in by_kind.items():
        yield from map(_shortened, same[:OF_A_KIND])
        if more := same[OF_A_KIND:]:
            text = f"{len(more)} more findings of this kind, which are too many to be shown"
            yield Finding(service, kind, text, note=more[0].note)


def _shortened(finding: Finding) -> Finding:
    evidence = finding.evidence
    if len(evidence) <= LONGEST:
        return finding
    return replace(finding, evidence=f"{evidence[:LONGEST]}... ({len(evidence)} characters)")
