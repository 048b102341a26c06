"""Sentences that somebody can read, however many things there are to say: those of one kind are one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

ALONE = 3  # sentences that differ in their subject only, and are not too many
OF_A_KIND = 20
LONGEST = 1000  # characters; a receipt's words may be megabytes


def grouped(found: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A sentence for each subject and what is said of it, with the remedy behind the last colon.

    Of many subjects of which the same is said the first ones are named, and the others counted.
    """
    subjects: dict[str, list[str]] = defaultdict(list)
    for subject, said in found:
        subjects[said].append(subject)
    for said, same in subjects.items():
        if len(same) <= ALONE:
            yield from (f"{subject} {said}" for subject in same)
        else:
            what, _, remedy = said.rpartition(": ")
            others = f"and so it is with {len(same) - 1} others, such as {same[1]} and {same[2]}"
            yield f"{same[0]} {what}, {others}: {remedy}"


def limited(sentences: Iterable[str], whose: str) -> Iterator[str]:
    """The first sentences of a kind, and how many more there are."""
    more = 0
    for number, sentence in enumerate(sentences):
        if number < OF_A_KIND:
            yield sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]}... ({len(sentence)} characters)"
        else:
            more += 1
    if more:
        yield f"{whose}: {more} more findings of this kind, which are too many to be shown"
