"""What the journals of a run show that somebody should look at."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from coverage_spy import refusals as codes

from ..findings import Finding
from ..recorded.journals import COPY, Journal, JournalError, Refusal
from ..recorded.processes import Processes, Silent
from ..text import counted, listed, printable, some
from .grouping import ALONE
from .model import ServiceResult
from .origins import UNNAMED

Reason = TypeVar("Reason")

REMEDY = (
    "look into its command for what keeps Python from loading the spy "
    "(-I, -E, env -i, which COVERAGE_SPY_INJECT=pth gets past, or -S)"
)

# The code of a refusal -> what it says, with its evidence in the braces.
REFUSALS = {
    codes.INTERPRETER: "no engine measures this interpreter: CPython 3.8 or newer is needed",
    codes.START: "the spy could not start: {}",
    codes.SERVICE_NAME: "COVERAGE_FILE={} names no service: use letters, digits, '.', '_' and '-' after '.coverage.'",
    codes.SWITCH: "{}={} is neither true nor false: taken as false",
    codes.DIRECTORY: "cannot write in {0}: {2}",
    codes.TRACER: "the payload holds no tracer for this interpreter: {}",
    codes.THREAD: "no thread can be started: {}",
    codes.TOOL_IDS: "all six tool ids of sys.monitoring are taken",
    codes.ORPHANED: "a forked child could open no journal: what it ran is unknown",
    codes.LOST: (
        "no journal could be opened for what it ran, and some of that is lost: "
        "give its data directory room, and the process more open files"
    ),
    codes.RIVAL: (
        "the application set a trace function of its own, as debuggers do, so what ran under it is unknown: "
        "measure without it, or on Python 3.12 or newer without branches"
    ),
}
NO_SPACE = ("ENOSPC", "EDQUOT")  # the names of errors
NO_LINES = (
    "let it run its sources, not what was compiled or packed from them; where they lie in a place that nothing "
    "tells, name it under `sources` in coverage-spy.yml and run again; when it runs nothing of the repository, name it "
    "under `leave-out`"
)


def damage_of(journals: Iterable[Journal], errors: Iterable[JournalError]) -> Iterator[tuple[str, str, str]]:
    """Yield each damaged journal, what is wrong with it, and the remedy."""
    for error in errors:
        if error.kind != "unborn":
            yield str(error.path), error.evidence.replace(f"{error.path} ", "", 1), error.remedy
    found = [journal for journal in journals if journal.unreadable]
    for journal in found:
        records = counted(journal.unreadable, "record") if len(found) <= ALONE else "records"
        yield str(journal.path), f"holds {records} that nobody can read, the others count", COPY


def of_kinds(with_lines: list[str], with_arcs: list[str]) -> Iterator[Finding]:
    """Yield what follows when some services recorded lines and others branches."""
    if with_lines and with_arcs:
        yield Finding(
            "",
            "mixed",
            f"{listed(with_lines)} recorded lines and {listed(with_arcs)} branches, so only lines are shown",
            "set COVERAGE_BRANCH the same for all services and record again",
        )


def of_dropped(parts: int) -> Iterator[Finding]:
    """Yield how many sources were too many, or said more than they can."""
    if parts:
        yield Finding(
            "",
            "forged",
            f"journals tell of more than any sources have, so {counted(parts, 'part')} of them count for nothing",
            "look what writes journals besides the spy",
        )


def of_unread(unread: Mapping[str, tuple[str, str]]) -> Iterator[Finding]:
    """Yield which files of the repository could not be read."""
    for (reason, remedy), paths in by_value(unread).items():
        yield Finding("", "unread", f"{some(paths)} left out: {reason}", remedy)


def of_git(refused: str) -> Iterator[Finding]:
    """Yield why git does not read the repository, in its own words."""
    if refused:
        yield Finding(
            "",
            "git",
            f"git does not read this repository ({refused}), so files that it ignores count as sources, and old "
            "versions are not found",
            "correct what it names, and combine again",
        )


def of_unborn(errors: Iterable[JournalError]) -> Iterator[Finding]:
    """Yield how many processes left a journal without a receipt."""
    unborn = sum(error.kind == "unborn" for error in errors)
    if unborn:
        yield Finding("", "unborn", f"of {counted(unborn, 'process')} nothing is known: killed at the very start")


def claims_of(journals: Iterable[Journal], name: str) -> dict[str, int]:
    """Return another service -> how many processes that wrote where only `name` does call themselves so."""
    receipts = {journal.receipt.process: journal.receipt.service for journal in journals}
    others = (claimed for claimed in receipts.values() if claimed not in ("", name) and name != UNNAMED)
    return dict(Counter(map(printable, others)))


def of_service(name: str, result: ServiceResult, failed: bool = False) -> Iterator[Finding]:
    """Yield what the processes of a service show, then what its sources do. It `failed`: other findings say how."""
    processes = result.processes
    if not result.measured:
        if result.python:
            yield Finding(name, "not-measured", f"it is not measured: {result.reason}")
    elif result.other_programs:
        programs = f"{listed(result.other_programs)} ran there, and no Python that was seen"
        yield Finding(name, "idle", f"{programs}, so there is nothing to know", note=True)
    elif result.silent and not result.never_started:
        yield _of_silence(name, processes)
    yield from _of_processes(name, result, failed)
    if result.fallback:
        yield Finding(
            name,
            "copied-out",
            "it could not write to its journals, so they were copied out of its container",
            "those of containers that were removed before are lost",
        )
    yield from _of_sources(name, result)


def _of_silence(name: str, processes: Processes) -> Finding:
    if processes.silent:
        evidence = f"it sent nothing, so nothing is known of it{_seen_there(processes)}"
        return Finding(name, "not-seen", evidence, f"look into its log whether it started, and {REMEDY}")
    return Finding(
        name,
        "not-seen",
        "it sent nothing and nobody saw it run, so nothing is known of it",
        "look into its log whether it started, and into the compose file whether it is scaled to nothing",
    )


def _of_processes(name: str, result: ServiceResult, failed: bool) -> Iterator[Finding]:
    processes = result.processes
    for refusal, count in processes.refusals.items():
        yield Finding(name, refusal_kind(refusal), f"{refusal_sentence(refusal)} ({counted(count, 'process')})")
    for claimed, count in result.claims.items():
        yield Finding(
            name,
            "claimed",
            f"{counted(count, 'process')} said to be of {claimed}, and counts for {name}, to whose directory it wrote",
            "look what sets COVERAGE_FILE there",
        )
    # Where sources ran that are unknown for reasons of their own, these are told below.
    told_below = not processes.ran_nothing_measured and {*result.unknown.values()} - {result.why_unknown}
    if result.no_file_ran and not told_below and not failed:
        yield _of_no_lines(name, result)
    # Of a service that sent nothing at all, the finding above says enough.
    for silent in processes.silent if processes.all else ():
        yield Finding(name, "no-receipt", f"{described(silent)} sent no receipt, so what it ran is unknown", REMEDY)
    if processes.end_unknown:
        yield Finding(
            name,
            "end-unknown",
            f"{counted(processes.end_unknown, 'process')} had not taken leave, so lines first run in the last 0.1 s "
            "may be missing",
            "Python 3.12 or newer leaves no such gap, unless it records branches",
            note=True,
        )


def _of_no_lines(name: str, result: ServiceResult) -> Finding:
    processes = result.processes
    none = f"none of its {counted(processes.all - processes.not_measured, 'process')}"
    if processes.ran_nothing_measured and result.why_unknown in result.unknown.values():
        evidence = f"{none} had run code of the repository when the run ended: it was still starting, or idle"
        return Finding(name, "still-starting", evidence, "let the test use it, and wait for it", note=True)
    what = "measured" if processes.ran_nothing_measured else "known to be of the repository"
    return Finding(name, "no-lines", f"{none} ran code that is {what}", NO_LINES)


def _of_sources(name: str, result: ServiceResult) -> Iterator[Finding]:
    by_commit = by_value({path: carried.commit for path, carried in result.carried.items()})
    for commit, paths in by_commit.items():
        files = [result.carried[path] for path in paths]
        lines, lost = (sum(numbers) for numbers in zip(*((file.lines, file.lost) for file in files), strict=True))
        yield Finding(
            name,
            "drifted",
            f"{some(paths)} as of commit {commit[:10]}: {counted(lines, 'executed line')} carried over to the same "
            f"statements, {lost} lost, and what changed since is unknown",
            "rebuild the image",
        )
    # Of a service that is unknown as a whole, another finding says enough.
    for reason, paths in by_value(result.unknown).items():
        if reason != result.why_unknown:
            yield Finding(name, "drifted", f"{some(paths)} unknown: {reason}")
    for reason, paths in by_value(result.unmapped).items():
        yield Finding(name, "not-mapped", f"{some(paths)} not mapped: {reason}")


def refusals_of(processes: Processes) -> dict[str, int]:
    """Return what processes declined, in sentences, with the number of processes."""
    found: Counter[str] = Counter()
    for refusal, count in processes.refusals.items():
        found[refusal_sentence(refusal)] += count
    return dict(found)


def refusal_sentence(refusal: Refusal) -> str:
    """Return what a refusal says. One of another version is told by its evidence, after its code if it has one."""
    try:
        return REFUSALS[refusal.code].format(*refusal.evidence)
    except (KeyError, IndexError):
        return ": ".join(filter(None, (refusal.code, *refusal.evidence)))


def refusal_kind(refusal: Refusal) -> str:
    """Return the kind of finding that a refusal is."""
    if refusal.code != codes.DIRECTORY:
        return "refused"
    return "disk-space" if refusal.evidence[1:2] and refusal.evidence[1] in NO_SPACE else "not-writable"


def _seen_there(processes: Processes) -> str:
    seen = [described(silent) for silent in processes.silent if silent.pid or silent.command]
    return f" ({counted(len(seen), 'place')} ran without a receipt, such as {seen[0].rstrip(',')})" if seen else ""


def described(silent: Silent) -> str:
    """Return what sent no receipt, where and since when, as the subject of a sentence."""
    since = time.strftime("%H:%M:%S", time.localtime(silent.started))
    return f"{silent.command or 'what ran'} in {silent.place}, there since {since},"


def by_value(reasons: Mapping[str, Reason]) -> dict[Reason, list[str]]:
    """Group paths by their reason: reason -> paths."""
    grouped = defaultdict(list)
    for path, reason in reasons.items():
        grouped[reason].append(path)
    return grouped
