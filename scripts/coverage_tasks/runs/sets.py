"""Sets of executed statements: the union of runs, what all of them executed, and what only the first one did."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from coverage import CoverageData

from ..errors import TaskError
from ..files import beside
from ..project import Project
from ..text import printable
from .difference import same_lines, why_unknown
from .store import Run, blank_run

Statements = frozenset[int]

OPERATIONS: Mapping[str, Callable[[Statements, Statements], Statements]] = {
    "union": frozenset.union,
    "intersect": frozenset.intersection,
    "subtract": frozenset.difference,
}


@dataclass(frozen=True)
class Part:
    """One file, in numbers of the checkout's source.

    `statements` are those that can be said anything about, `executed` what each run executed of them, in the order of
    the runs, `result` what the operation makes of that, and `contexts` who executed it: services, or runs without any.
    """

    statements: Statements
    executed: tuple[Statements, ...]
    result: Statements
    contexts: Mapping[str, Statements]


@dataclass(frozen=True)
class Combination:
    """What an operation makes of runs; `incomparable` are files that are left out, with the reason."""

    operation: str
    runs: tuple[str, ...]
    files: Mapping[str, Part]
    incomparable: Mapping[str, str]
    notes: tuple[str, ...]


def operate(project: Project, operation: str, runs: Sequence[Run]) -> Combination:
    """Return the union of runs, their intersection, or the first without the others: line by line, without branches.

    Runs of older sources are carried over to the checkout's, see `carry`. A file that one of the runs knows nothing
    about is left out, and so are statements, unless the union is asked for: there it counts as not executed.
    """
    paths = {path for run in runs for path in run.files}
    checkout = blank_run(project, paths)
    files: dict[str, Part] = {}
    incomparable: dict[str, str] = {}
    for path in sorted(paths):
        reasons = [why_unknown(run, path, other) for run in runs for other in runs if path in other.files]
        if path not in checkout.files:
            incomparable[path] = checkout.unknown.get(path, "it is not in the checkout")
        elif any(reasons) and operation != "union":
            incomparable[path] = next(filter(None, reasons))
        else:
            files[path] = _part(operation, path, runs, checkout)
    notes = [note for run in runs for note in run.notes]
    for run in runs:
        silent = [name for name, result in run.services.items() if result.measured and result.why_unknown]
        if silent:
            notes.append(printable(f"{run.name} tells nothing of {', '.join(silent)}: what they executed is not in it"))
    return Combination(operation, tuple(run.name for run in runs), files, incomparable, tuple(notes))


def _part(operation: str, path: str, runs: Sequence[Run], checkout: Run) -> Part:
    statements = checkout.files[path].statements
    executed: list[Statements] = []
    contexts: dict[str, Statements] = defaultdict(frozenset)
    for run in runs:
        lines = run.files.get(path)
        same = same_lines(run, checkout, path) if lines else {}
        executed.append(frozenset(same[line] for line in lines.executed if line in same) if lines else frozenset())
        if lines and operation != "union":
            statements &= {same[line] for line in lines.statements if line in same}
        for context, own in lines.by_service.items() if lines else ():
            contexts[context or run.name] |= {same[line] for line in own if line in same}
    executed = [each & statements for each in executed]
    result = reduce(OPERATIONS[operation], executed)
    return Part(statements, tuple(executed), result, {name: own & result for name, own in contexts.items()})


def write_data(combination: Combination, file: Path, force: bool) -> None:
    """Write the result as a data file of coverage.py's, with repository paths and those who executed as contexts.

    Raise TaskError when the file is there and `force` is not set, or it cannot be written.
    """
    if file.exists() and not force:
        raise TaskError(f"{file} is there already: name another file, or say --force to replace it")
    try:
        with beside(file) as part:
            part.unlink(missing_ok=True)
            data = CoverageData(str(part))
            data.add_lines({})
            for name in sorted({name for found in combination.files.values() for name in found.contexts}):
                data.set_context(name)
                data.add_lines({path: found.contexts.get(name, ()) for path, found in combination.files.items()})
            data.touch_files(sorted(combination.files))
            data.close()
    except OSError as error:
        raise TaskError(f"cannot write {error.filename} ({error.strerror}): make it writable, or remove it") from None
