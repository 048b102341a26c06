"""The processes of a service: those that sent a receipt, and those of which only the census knows."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, Self

from .journals import LOST, ORPHANED, RIVAL, Journal, Refusal
from .sightings import Place, Sighting

# A process is listed to the second, and takes a moment from its start to its receipt.
SECONDS_APART = 2

State = Literal["complete", "end unknown", "partly measured", "not measured"]


@dataclass(frozen=True)
class Process:
    """A process that sent a receipt; `parent` is the measured process that forked it, or "".

    `lines` is how many lines, or arcs, it recorded. Its `state` is "complete" when all that it ran is recorded;
    "end unknown" when what it first ran in its last 0.1 s may not be, see docs/journal.md; "partly measured" when its
    trace function was taken from us, words found no journal, or children of its have none; "not measured" when its
    interpreter is none that can be.
    """

    id: str
    parent: str
    host: str
    pid: int
    python: str
    engine: str
    started: float
    lines: int
    state: State
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Silent:
    """A process, or all of a place (`pid` is 0), that ran Python as far as the engine knows, and sent no receipt."""

    place: str
    pid: int
    started: float
    command: str


@dataclass
class Processes:
    """All processes of a service of which anything is known."""

    known: list[Process] = field(default_factory=list)
    silent: list[Silent] = field(default_factory=list)

    @classmethod
    def of_service(cls, journals: Iterable[Journal], places: Collection[Place]) -> Self:
        """Return the processes that wrote `journals`, and those of `places` that wrote none."""
        known = sorted(_known(journals), key=lambda process: (process.started, process.id))
        return cls(known, list(_silent(known, places)))

    @property
    def all(self) -> int:
        """How many sent a receipt."""
        return len(self.known)

    @property
    def without_lines(self) -> int:
        """How many were measured and ran no code that is recorded."""
        return sum(process.state != "not measured" and not process.lines for process in self.known)

    @property
    def not_measured(self) -> int:
        """How many could not be measured."""
        return sum(process.state == "not measured" for process in self.known)

    @property
    def partly_measured(self) -> int:
        """How many ran something that nobody recorded."""
        return sum(process.state == "partly measured" for process in self.known)

    @property
    def unaccounted(self) -> bool:
        """Whether there was one that may have run what nobody recorded."""
        return bool(self.silent or self.not_measured or self.partly_measured)

    @property
    def end_unknown(self) -> int:
        """Of how many the last 0.1 s may be missing."""
        return sum(process.state == "end unknown" for process in self.known)

    @property
    def ran_nothing_measured(self) -> bool:
        """Whether there were measured processes, and none of them ran code that is recorded."""
        return 0 < self.without_lines == self.all - self.not_measured

    @property
    def refusals(self) -> dict[Refusal, int]:
        """What was declined, with the number of processes."""
        return dict(sorted(Counter(refusal for process in self.known for refusal in process.refusals).items()))


def _known(journals: Iterable[Journal]) -> Iterator[Process]:
    ordered = sorted(journals, key=lambda j: (j.receipt.process, j.receipt.segment))
    for _, group in groupby(ordered, key=lambda j: j.receipt.process):
        segments = list(group)
        first, engine = segments[0].receipt, segments[-1].receipt.engine
        refusals = {refusal for s in segments for refusal in s.receipt.refusals}
        # The last one may have been opened ahead of its need.
        ended = any(s.ended for s in [s for s in segments if s.last][-1:])
        yield Process(
            id=first.process,
            parent=first.parent,
            host=first.host,
            pid=first.pid,
            python=first.python,
            engine=engine,
            started=first.started,
            lines=sum(segment.told for segment in segments),
            state=_state(engine, ended, refusals),
            refusals=tuple(sorted(refusals)),
        )


def _state(engine: str, ended: bool, refusals: Collection[Refusal]) -> State:
    if engine == "none":
        return "not measured"
    if any(refusal in refusals for refusal in (ORPHANED, RIVAL, LOST)):
        return "partly measured"
    return "complete" if engine == "monitor" or ended else "end unknown"


def _silent(known: Collection[Process], places: Collection[Place]) -> Iterator[Silent]:
    hosts = {place.host for place in places}
    for place in places:
        # A container may share the name of another's host, or see that of the machine.
        own = [p for p in known if p.host == place.host] or [p for p in known if p.host not in hosts]
        if not any(process.started >= place.started - SECONDS_APART for process in own):
            own = []
        yield from (Silent(place.name, seen.pid, seen.started, seen.command) for seen in _without_receipt(place, own))
        if not own and not place.seen:
            yield Silent(place.name, 0, place.started, place.command)


def _without_receipt(place: Place, known: Iterable[Process]) -> Iterator[Sighting]:
    """Yield sightings that no receipt can be from; where pids can't be compared each takes the next receipt in time."""
    left, vouched = [], set()
    for process in sorted(known, key=lambda process: process.started):
        own = [s for s in place.seen if s.pid == process.pid and s.started <= process.started + SECONDS_APART]
        if own:
            # A container that is started again has the same pids; a process that becomes another program by exec keeps
            # its pid, and the time at which it was started, and sends a receipt for each.
            nearest = min(own, key=lambda seen: abs(seen.started - process.started))
            vouched |= {seen for seen in own if abs(seen.started - nearest.started) <= 1}
        else:
            left.append(process)
    for seen in sorted(place.seen, key=lambda seen: seen.started):
        later = [process for process in left if process.started >= seen.started - SECONDS_APART]
        if not seen.pid and later:
            left.remove(later[0])
        elif seen not in vouched:
            yield seen
