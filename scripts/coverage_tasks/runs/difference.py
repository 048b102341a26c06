"""What changed from one run to another: statements and files that are executed now, and those that no longer are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from ..results.lines import Lines, Share
from ..sources.statements import same_statements
from .store import Run

Kind = Literal["lost", "covered", "untested"]
KINDS: dict[Kind, str] = {"lost": "newly lost", "covered": "newly covered", "untested": "new and not executed"}
NOTHING = Lines(frozenset(), frozenset(), {}, 0, 0, {})


@dataclass(frozen=True)
class Change:
    """What became of the statements of a file, all in numbers of the newer source.

    `statements` and `executed` are the newer run's, `before` is the older one's share. `covered` were not executed in
    the older run, `lost` were, and are still there; `gone` is how many are not. `untested` are statements that the
    older run does not speak of and the newer one did not execute. `doubtful` are those that one run executed and the
    other cannot tell about; they are in no share.
    """

    before: Share
    statements: frozenset[int]
    executed: frozenset[int]
    covered: frozenset[int]
    lost: frozenset[int]
    untested: frozenset[int]
    gone: int
    doubtful: frozenset[int] = frozenset()

    @property
    def after(self) -> Share:
        """The newer run's share."""
        return Share(len(self.executed - self.doubtful), len(self.statements - self.doubtful))

    def __bool__(self) -> bool:
        """Return whether anything changed."""
        return bool(self.covered or self.lost or self.untested or self.gone)


@dataclass(frozen=True)
class Numbers:
    """A sum of changes."""

    files: int
    before: Share
    after: Share
    covered: int
    lost: int
    untested: int
    gone: int

    @classmethod
    def of(cls, changes: Iterable[Change]) -> "Numbers":
        """Return the sum."""
        found = list(changes)
        return cls(
            len(found),
            Share(sum(each.before.executed for each in found), sum(each.before.of for each in found)),
            Share(sum(each.after.executed for each in found), sum(each.after.of for each in found)),
            sum(len(each.covered) for each in found),
            sum(len(each.lost) for each in found),
            sum(len(each.untested) for each in found),
            sum(each.gone for each in found),
        )


@dataclass(frozen=True)
class Difference:
    """What changed from the run `old` to the run `new`.

    `files` are all that can be compared, `services` the same of what each service executed, by its name. `incomparable`
    are the other files of either run, and `unknown_services` the services that only one run tells of, with the reason.
    """

    old: str
    new: str
    files: Mapping[str, Change]
    services: Mapping[str, Mapping[str, Change]]
    incomparable: Mapping[str, str]
    unknown_services: Mapping[str, str]
    notes: tuple[str, ...]

    def total(self) -> Numbers:
        """Return those of all files that can be compared."""
        return Numbers.of(self.files.values())

    def of_directories(self) -> dict[str, Numbers]:
        """Return them by directory, of the files directly in it; without those in which nothing changed."""
        changes = defaultdict(list)
        for path, change in self.files.items():
            changes[str(PurePosixPath(path).parent)].append(change)
        return {directory: Numbers.of(changes[directory]) for directory in sorted(changes) if any(changes[directory])}

    def of_services(self) -> dict[str, Numbers]:
        """Return them by service, of its own files."""
        return {name: Numbers.of(changes.values()) for name, changes in self.services.items()}

    def ranked(self, kind: Kind) -> dict[str, frozenset[int]]:
        """Return the files with statements of that kind, those with most of them first."""
        found = {path: getattr(change, kind) for path, change in self.files.items() if getattr(change, kind)}
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))

    def newly_covered(self) -> list[str]:
        """Return the files of which the older run executed nothing, and the newer one something."""
        return [path for path, change in self.files.items() if change.covered and not change.before.executed]

    def newly_lost(self) -> list[str]:
        """Return the files that are still there, and of which the newer run executed nothing any more."""
        return [path for path, change in self.files.items() if change.lost and not change.executed]


def compare(old: Run, new: Run) -> Difference:
    """Return what changed from one run to another.

    Statements are followed through a change of their file when both sources are at hand, see `carry`. What one of the
    runs knows nothing about is incomparable, never lost; so are lines that only a service executed which the other run
    does not tell of.
    """
    unknown = _unknown_services(old, new)
    services: dict[str, dict[str, Change]] = {
        name: {} for name in old.services if name in new.services and name not in unknown
    }
    files: dict[str, Change] = {}
    incomparable: dict[str, str] = {}
    for path in sorted(old.files.keys() | new.files.keys()):
        reason = why_unknown(old, path, new) or why_unknown(new, path, old)
        if reason:
            incomparable[path] = reason
            continue
        before, after, same = _sides(old, new, path)
        change = _change(same, before.statements, before.executed, after.statements, after.executed)
        lost = change.lost.intersection(same[line] for line in _only_by(before, unknown) if line in same)
        files[path] = _without(change, lost | (change.covered & _only_by(after, unknown)), same)
        for name, changes in services.items():
            then, now = old.services[name], new.services[name]
            if path in {*then.files, *now.files} and path not in {**then.unknown, **now.unknown}:
                changes[path] = _change(
                    same,
                    then.statements(path, before.statements),
                    before.by_service.get(name, frozenset()),
                    now.statements(path, after.statements),
                    after.by_service.get(name, frozenset()),
                )
    return Difference(old.name, new.name, files, services, incomparable, unknown, (*old.notes, *new.notes))


def why_unknown(run: Run, path: str, other: Run) -> str:
    """Return why nothing can be said of what a run executed of a file that another run tells of; empty when it can.

    A file that it does not name was not executed, if all the services are in it, and known, that have the file in the
    other run.
    """
    if path in run.files or run.combined is None:
        return ""
    if path in run.unknown:
        return f"{run.unknown[path]}, in {run.name}"
    for name, result in other.services.items():
        if path in result.files:
            if name not in run.services:
                return f"there is no service {name} in {run.name}"
            if run.services[name].why_unknown:
                return f"{run.services[name].why_unknown}, in {run.name}"
    return ""


def same_lines(old: Run, new: Run, path: str) -> Mapping[int, int]:
    """Return the older run's line -> that of the same statement in the newer one's source, of a file of both."""
    if old.digests[path] == new.digests[path]:
        return {line: line for line in old.files[path].statements | new.files[path].statements}
    return same_statements(old.text(path), new.text(path))


def _sides(old: Run, new: Run, path: str) -> tuple[Lines, Lines, Mapping[int, int]]:
    """Return what each run executed of a file, and how lines of the older source lead to those of the newer one."""
    if path in old.files and path in new.files:
        return old.files[path], new.files[path], same_lines(old, new, path)
    known = old.files.get(path) or new.files[path]
    idle = replace(known, executed=frozenset(), by_service={})
    as_it_is = {line: line for line in known.statements}
    if path in old.files:
        return (known, idle, as_it_is) if (new.root / path).is_file() else (known, NOTHING, {})
    return (NOTHING, known, {}) if old.combined else (idle, known, as_it_is)


def _only_by(lines: Lines, services: Collection[str]) -> frozenset[int]:
    """Return the statements that these services executed and no other: the other run cannot say whether it has them."""
    others = (own for name, own in lines.by_service.items() if name not in services)
    return lines.executed.difference(*others) if services else frozenset()


def _change(
    same: Mapping[int, int],
    old_statements: frozenset[int],
    old_executed: frozenset[int],
    statements: frozenset[int],
    executed: frozenset[int],
) -> Change:
    back = {now: then for then, now in same.items()}
    return Change(
        before=Share(len(old_executed), len(old_statements)),
        statements=statements,
        executed=executed,
        # What the older run knows nothing about, of a statement that it had, is no news.
        covered=frozenset(line for line in executed if line not in back or back[line] in old_statements - old_executed),
        lost=frozenset(same[line] for line in old_executed if line in same) & (statements - executed),
        untested=statements - executed - back.keys(),
        gone=sum(line not in same for line in old_executed),
    )


def _without(change: Change, doubtful: frozenset[int], same: Mapping[int, int]) -> Change:
    """Return the change without statements that are covered or lost as far as one of the runs can tell."""
    executed, of = change.before
    return replace(
        change,
        before=Share(executed - len(change.lost & doubtful), of - len(doubtful.intersection(same.values()))),
        covered=change.covered - doubtful,
        lost=change.lost - doubtful,
        doubtful=doubtful,
    )


def _unknown_services(old: Run, new: Run) -> dict[str, str]:
    """Return the services that only one of two measured runs tells of, with the reason."""
    found = {}
    for name in {**old.services, **new.services} if old.combined and new.combined else ():
        reasons = [
            f"{run.services[name].why_unknown}, in {run.name}" if name in run.services else f"it is not in {run.name}"
            for run in (old, new)
            if name not in run.services or run.services[name].why_unknown
        ]
        if len(reasons) == 1:
            found[name] = reasons[0]
    return found
