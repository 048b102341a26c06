"""Before and after: the difference between the present run and an older one, as the portal shows it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

from coverage.results import format_lines

from ...combined.model import ServiceResult
from ...runs.difference import KINDS, Change, Difference, Kind, Numbers

# Stretches of lines that are named of a file; coverage-compare names all.
SHOWN_LINES = 12


class Shift(NamedTuple):
    """How many statements are newly covered and newly lost, on a map."""

    covered: int
    lost: int

    def __str__(self) -> str:
        """Return both with their signs, those that are not 0."""
        signed = (f"+{self.covered}" if self.covered else "", f"\N{MINUS SIGN}{self.lost}" if self.lost else "")
        return " ".join(filter(None, signed)) or "±0"

    @classmethod
    def sum(cls, shifts: Iterable["Shift"]) -> Self:
        """Add them all up."""
        found = list(shifts)
        return cls(sum(shift.covered for shift in found), sum(shift.lost for shift in found))

    @property
    def kind(self) -> str:
        """What happened, in a word: the class of its colour."""
        return (("same", "lost"), ("covered", "both"))[bool(self.covered)][bool(self.lost)]


class Compared(NamedTuple):
    """A service of either run: its numbers, or why it has none."""

    name: str
    numbers: Numbers
    reason: str


class Moved(NamedTuple):
    """A file with statements of one kind: how many, where (in words, and the first), and all that became of it.

    `whole` says whether nothing of it is executed any more, or nothing was before.
    """

    path: str
    statements: int
    lines: str
    first: int
    change: Change
    whole: bool


@dataclass(frozen=True)
class Before:
    """What the pages say of a difference, whose newer run is the present one; `services` are that one's."""

    difference: Difference
    services: dict[str, ServiceResult]

    @cached_property
    def total(self) -> Numbers:
        """The numbers of all files that can be compared."""
        return self.difference.total()

    @cached_property
    def kinds(self) -> list[tuple[Kind, str, list[Moved]]]:
        """What may have become of statements, what that is called, and the files with such statements."""
        return [(kind, title, list(self._moved(kind))) for kind, title in KINDS.items()]

    def _moved(self, kind: Kind) -> Iterator[Moved]:
        whole = {"lost": self.difference.newly_lost, "covered": self.difference.newly_covered, "untested": list[str]}
        paths = set(whole[kind]())
        for path, lines in self.difference.ranked(kind).items():
            change = self.difference.files[path]
            stretches = format_lines(change.statements, lines).split(", ")
            more = len(stretches) - SHOWN_LINES
            places = ", ".join(stretches[:SHOWN_LINES]) + (f" and {more} more" if more > 0 else "")
            yield Moved(path, len(lines), places, min(lines), change, path in paths)

    @property
    def lost(self) -> int:
        """How many files lost lines."""
        return len(self.difference.ranked("lost"))

    @property
    def of_services(self) -> Iterator[Compared]:
        """The services of both runs, by name."""
        numbers, unknown = self.difference.of_services(), self.difference.unknown_services
        for name in sorted({*numbers, *unknown}):
            found, reason = numbers.get(name, Numbers.of(())), unknown.get(name, "")
            if not found.files and not reason:
                why = self.services[name].why_unknown
                reason = f"{why}, in both runs" if why else "both runs know of no file of its own"
            yield Compared(name, found, reason.removeprefix("its service "))

    @cached_property
    def incomparable(self) -> dict[str, list[str]]:
        """The files that cannot be compared, by reason."""
        reasons = defaultdict(list)
        for path, reason in self.difference.incomparable.items():
            reasons[reason].append(path)
        return dict(reasons)

    @property
    def shifts(self) -> Iterator[tuple[str, Shift]]:
        """The files that can be compared, with what changed in each."""
        for path, change in self.difference.files.items():
            yield path, Shift(len(change.covered), len(change.lost))
