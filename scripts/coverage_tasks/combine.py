"""From journals to one .coverage: mapped per service first, merged after, with the service as context."""

import json
import os
import sqlite3
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Self

from coverage import CoverageData
from coverage.exceptions import CoverageException

from . import loops
from .carry import Arc, Carried, Old, Ran, lines_of
from .census import Place, read_census
from .files import read_file, read_json
from .grouping import ALONE, grouped, limited
from .history import History
from .journals import Journal, JournalError, read_journals
from .merging import Merging
from .origins import UNNAMED, Origins, of_run, read_stack
from .processes import Processes, Silent
from .progress import Stage, advance
from .project import Project, TaskError, beside, counted, printable
from .shapes import is_repository_path, shaped
from .sources import LARGEST_SOURCE, LIBRARY, Digest, Repository, Root, SourceMap, is_test
from .startup import read_marks

SIZES = 1 << 32  # what a journal has room for, as in its digests
LARGEST = 256 << 20  # bytes of a combined.json: 80,000 files of 8 services
REMEDY = (
    "look into its command for what keeps Python from loading the spy "
    "(-I, -E, env -i, which COVERAGE_SPY_INJECT=pth gets past, or -S)"
)


@dataclass
class Result:
    """What is known of one service.

    `files` are the repository files that count as its own, `never_imported` those of them that no process loaded.
    `unknown` are files of its own of which nothing can be said, `unmapped` container files that ran and are no file of
    the repository, each with the reason. `carried` are those of `files` that are known in part, by an old version.
    `startup` are the lines, by repository file, that some process of it executed before the stack was ready. `claims`
    count its processes that say they are of another service.
    """

    measured: bool = True
    reason: str = ""
    python: list[str] = field(default_factory=list)
    processes: Processes = field(default_factory=Processes)
    roots: list[Root] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    never_imported: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, str] = field(default_factory=dict)
    carried: dict[str, Carried] = field(default_factory=dict)
    startup: dict[str, list[int]] = field(default_factory=dict)
    fallback: bool = False
    claims: dict[str, int] = field(default_factory=dict)

    def statements(self, path: str, statements: frozenset[int]) -> frozenset[int]:
        """Those of a file's statements that the service can say anything about."""
        return statements.intersection(self.carried[path].known) if path in self.carried else statements

    @property
    def silent(self) -> bool:
        """Whether it should have been measured and sent nothing."""
        return self.measured and not self.processes.all

    @property
    def why_unknown(self) -> str:
        """Why nothing is known of the service as a whole; empty when something is."""
        if not self.measured:
            return f"its service is not measured: {self.reason}"
        if self.silent:
            return "its service sent nothing"
        if self.processes.not_measured == self.processes.all:
            return "no process of its service could be measured"
        return ""


@dataclass
class Combined:
    """What `combine` found out, service by service; kept in coverage-data/combined.json.

    `findings` are what somebody should look at, each in a sentence; those of `damage`, of `damaged` journals, come
    first. `digests` are those of the files as they were then, `commit` is what was checked out ("" without git), `run`
    what stack.json calls the run, and `started` when the last process did, in seconds since the epoch.
    """

    services: dict[str, Result]
    branch: bool = False
    damage: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    digests: dict[str, Digest] = field(default_factory=dict)
    damaged: int = 0
    commit: str = ""
    run: str = ""
    started: float = 0.0

    @classmethod
    def read(cls, file: Path) -> Self:
        """From its JSON. Raises TaskError as `read_json`, OSError, or ValueError when it is another's or damaged."""
        found = read_json(file, LARGEST)
        if type(found) is not dict or found.pop("version", None) != 1:
            raise ValueError("it is of another version")
        combined: Self = shaped(cls, found)
        for path in combined.named:
            if not is_repository_path(path):
                raise ValueError(f"it names {path!r:.200}, and no file of a repository is called that")
        for path, digest in combined.digests.items():
            if not (0 <= digest.size < SIZES and 0 <= digest.crc < SIZES):
                raise ValueError(f"it has an impossible digest of {path}")
        return combined

    @property
    def named(self) -> set[str]:
        """Every repository file that it says something about."""
        named = set(self.digests)
        for result in self.services.values():
            named.update(result.files, result.never_imported, result.unknown, result.carried, result.startup)
        return named

    @property
    def files(self) -> set[str]:
        """Every repository file that counts for some service."""
        return {path for result in self.services.values() for path in result.files}

    @property
    def owners(self) -> Mapping[str, list[str]]:
        """Repository file -> the services that it counts for; no service for any other file."""
        owners = defaultdict(list)
        for name, result in self.services.items():
            for path in result.files:
                owners[path].append(name)
        return owners

    @property
    def imported(self) -> set[str]:
        """The repository files that some service imported."""
        return {path for result in self.services.values() for path in {*result.files} - {*result.never_imported}}

    @property
    def unknown(self) -> dict[str, str]:
        """Repository files that some service should tell of and none can, with the reason."""
        known = self.files
        unknown = ((p, why) for result in self.services.values() for p, why in result.unknown.items())
        return {path: why for path, why in sorted(unknown) if path not in known}

    def known_lines(self, path: str) -> set[int] | None:
        """The lines of a file that some service can say anything about; None when that is all of them."""
        known: set[int] = set()
        for result in self.services.values():
            if path in result.carried:
                known.update(result.carried[path].known)
            elif path in result.files:
                return None
        return known or None


@dataclass
class _Painted:
    """What one service executed, by repository file; `startup` are the lines that ran before the stack was ready."""

    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    arcs: dict[str, set[Arc]] = field(default_factory=lambda: defaultdict(set))
    startup: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, path: str, ran: Ran) -> None:
        if ran.lines:
            self.lines[path].update(ran.lines)
        if ran.arcs:
            self.arcs[path].update(ran.arcs)
        if ran.startup:
            self.startup[path].update(ran.startup)

    def complete_loops(self, root: Path) -> None:
        """Adds the endless loops that an old Python did not record."""
        for path, lines in self.lines.items():
            lines.update(loops.missing_lines(read_file(root / path, LARGEST_SOURCE), lines))
        for path, arcs in self.arcs.items():
            arcs.update(loops.missing_arcs(read_file(root / path, LARGEST_SOURCE), arcs))


def combine(project: Project) -> Combined:
    """Combine all journals of the project into its .coverage and coverage-data/combined.json.

    A service's own files are those its image holds, a bind mount shows it or coverage-spy.yml says are its sources,
    and sources are what it says now: they are added when a report has shown what is unmapped. Of directories that
    hold more than one service, the whole repository that is, only the import roots of what ran count: see
    `_own_files`. What was never imported counts as not executed, unless it is a test or a build file; what drifted,
    and all of a service that sent nothing, is unknown and does not count. Files are only painted with lines that ran
    on the very same source.

    Journals are read only, and damaged ones are left out. Raises TaskError when there is none to read.
    """
    repository = Repository.of_project(project)
    merging = Merging(repository.places)
    journals, errors = read_journals(project.journals, read_marks(project), merging.take)
    damaged = [*_refused(errors), *_unread_words(journals)]
    damage = [printable(text) for text in grouped(damaged)]
    if not journals:
        if len(damaged) > 1:
            damage[0] += f"; so it is with all {len(damaged)} of {project.journals}"
        raise TaskError(
            damage[0] if damage else f"there is nothing to combine in {project.journals}: run up-coverage first"
        )
    results, painted = {}, {}
    with Stage("finding the sources of each service", noun="service") as stage:
        census = read_census(project)
        services = of_run(project, journals, repository)
        stage.of = len(services)
        for name, origins in services.items():
            places = [place for place in census if place.service == name]
            results[name], painted[name] = _combine_service(origins, places)
            advance()
    with_lines = [name for name, p in painted.items() if p.lines]
    with_arcs = [name for name, p in painted.items() if p.arcs]
    combined = Combined(results, bool(with_arcs and not with_lines), damage, commit=History(project.root).commit)
    combined.digests = {path: repository.files[path] for path in sorted(combined.files)}
    combined.damaged = len(damaged)
    combined.run = str(read_stack(project).get("run", ""))
    combined.started = max(journal.receipt.started for journal in journals)
    findings = []
    if with_arcs and with_lines:
        findings.append(
            f"{_and(with_lines)} recorded lines and {_and(with_arcs)} branches, "
            "so only lines are shown: set COVERAGE_BRANCH the same for all services and record again"
        )
    if merging.dropped:
        findings.append(
            f"journals tell of more than any sources have, so {counted(merging.dropped, 'part')} of them count for "
            "nothing: look what writes into coverage-data/journals besides the spy"
        )
    for reason, paths in _by_value(repository.unread).items():
        findings.append(f"{some(paths)} left out: {reason}")
    unborn = sum(error.kind == "unborn" for error in errors)
    if unborn:
        findings.append(f"of {counted(unborn, 'process')} nothing is known: killed at the very start")
    kinds = [(findings, "all services"), *_findings(combined)]
    combined.findings = [*damage, *(printable(text) for kind, whose in kinds for text in limited(kind, whose))]
    try:
        with Stage(f"writing {project.coverage_file.name}"):
            _write_coverage(project, combined, painted)
        with beside(project.data / "combined.json") as file:
            file.write_text(json.dumps({"version": 1} | asdict(combined), indent=1) + "\n")
    except OSError as error:
        raise TaskError(
            f"cannot write {error.filename or project.coverage_file} ({error.strerror}): make it writable, or remove it"
        ) from None
    except (sqlite3.Error, CoverageException) as error:
        raise TaskError(f"cannot write {project.coverage_file} ({error}): make room there") from None
    return combined


def read_combined(project: Project) -> Combined:
    """What the last `combine` wrote. Raises TaskError when there was none since the services were started."""
    file = project.data / "combined.json"
    try:
        status = file.stat()
        combined = _read_once(file, status.st_ino, status.st_mtime_ns)
    except (OSError, ValueError):
        raise TaskError("nothing has been combined yet: run coverage-combine first") from None
    if read_stack(project).get("run", combined.run) != combined.run:  # a time would be that of a clock, which is set
        raise TaskError("nothing has been combined since the services were started: run coverage-combine first")
    return combined


@lru_cache(maxsize=1)
def _read_once(file: Path, _inode: int, _changed: int) -> Combined:
    # Every report asks for it, some once per service: 6 MB of JSON for 2,000 files of 8 services.
    return Combined.read(file)


def _combine_service(origins: Origins, places: Collection[Place]) -> tuple[Result, _Painted]:
    source_map, journals, entry = origins.source_map, origins.journals, origins.entry
    result = Result(
        measured=origins.service.measured,
        reason=origins.service.reason,
        python=sorted({journal.receipt.python for journal in journals}) or list(entry.get("interpreters", ())),
        processes=Processes.of_service(journals, places),
        roots=list(source_map.roots),
        fallback=bool(entry.get("fallback", False)),
        claims=_claims(journals, origins.service.name),
    )
    painted, imported = _Painted(), set()
    old: dict[str, Old] = {}
    for journal in journals:
        for path, digest in journal.files.items():
            match = origins.find(path, digest)
            ran = Ran(journal.lines.get(path, set()), journal.arcs.get(path, set()), journal.early.get(path, set()))
            if match.state == "same" and match.path:
                imported.add(match.path)
                painted.add(match.path, ran)
            elif match.path and (same := origins.carry(path, digest)):
                old.setdefault(match.path, Old(origins.versions[path, digest])).add(same, ran)
            elif match.path:
                result.unknown[match.path] = match.reason
            elif match.reason != LIBRARY:
                result.unmapped[path] = match.reason
    seen = imported | old.keys()
    held = {match.path for match in origins.held.values() if match.path and match.state == "same"}
    for path, match in origins.held.items():
        if match.state == "drifted" and match.path and match.path not in seen | held | result.unknown.keys():
            if same := origins.carry(path, origins.digest(path)):
                old.setdefault(match.path, Old(origins.versions[path, origins.digest(path)])).add(same, Ran())
            else:
                result.unknown[match.path] = match.reason
    for repository_path, known in old.items():
        painted.add(repository_path, known.ran)
        # Whoever ran the present version as well knows all of it.
        if repository_path not in imported:
            result.carried[repository_path] = known.carried()
    if any(version.startswith(loops.OLD) for version in result.python):
        painted.complete_loops(source_map.repository.root)
    result.startup = {path: sorted(lines) for path, lines in sorted(painted.startup.items())}
    own = (_own_files(source_map, seen) | held | old.keys()) - result.unknown.keys()
    _settle(result, {path for path in own if path in seen or not is_test(path)} | seen, seen)
    return result, painted


def _settle(result: Result, own: set[str], imported: set[str]) -> None:
    """Say of each file whether it counts, and why not."""
    why = result.why_unknown
    if why and not imported:
        # A service without Python is nothing to know about, whatever files its image holds.
        result.unknown = dict.fromkeys(sorted(own), why) if result.python else {}
        result.carried = {}
        return
    result.files = sorted(own)
    result.never_imported = sorted(own - imported)
    result.unknown = dict(sorted(result.unknown.items()))
    result.unmapped = dict(sorted(result.unmapped.items()))
    result.carried = {path: carried for path, carried in sorted(result.carried.items()) if path in own}


def _own_files(source_map: SourceMap, imported: Collection[str]) -> set[str]:
    """The repository files that bind mounts show a service, or that coverage-spy.yml says are its own.

    Where all of the repository is mounted, or the processes run on it, not every file is the service's, only those
    below a directory where imports of what ran begin, that is the first one above the file that is no package.
    """
    files = source_map.repository.files
    own = set()
    for root in source_map.roots:
        if not root.decides:
            continue
        begins = {_import_root(path, files) for path in imported} if root.repository == "." else {root.repository}
        for path in files:
            if any(begin in (".", path) or path.startswith(begin + "/") for begin in begins):
                container = os.path.normpath(f"{root.container}/{os.path.relpath(path, root.repository)}")
                if source_map.find(container, files[path]).path == path:
                    own.add(path)
    return own


def _import_root(path: str, files: Mapping[str, Digest]) -> str:
    directory = PurePosixPath(path).parent
    while str(directory) != "." and f"{directory}/__init__.py" in files:
        directory = directory.parent
    return str(directory)


def _refused(errors: Iterable[JournalError]) -> Iterator[tuple[str, str]]:
    """The journals of which nothing could be read, and why."""
    for error in errors:
        if error.kind != "unborn":
            yield str(error.path), str(error).replace(f"{error.path} ", "", 1)


def _unread_words(journals: Iterable[Journal]) -> Iterator[tuple[str, str]]:
    """The journals with words that nobody can read, and how many where they are few."""
    found = [journal for journal in journals if journal.unreadable]
    for journal in found:
        records = counted(journal.unreadable, "record") if len(found) <= ALONE else "records"
        yield (
            str(journal.path),
            f"holds {records} that nobody can read, the others count: copy it again if it is a copy, or remove it",
        )


def _claims(journals: Iterable[Journal], name: str) -> dict[str, int]:
    """Another service -> how many processes that wrote where only `name` does call themselves so."""
    receipts = {journal.receipt.process: journal.receipt.service for journal in journals}
    others = (claimed for claimed in receipts.values() if claimed not in ("", name) and name != UNNAMED)
    return dict(Counter(map(printable, others)))


def _findings(combined: Combined) -> Iterator[tuple[Iterable[str], str]]:
    """What somebody should look at, each in a sentence with its remedy: kind by kind, with the service."""
    for name, result in combined.services.items():
        for kind in (_of_the_service, _of_refusals, _of_claims, _of_processes, _of_silent, _of_versions, _of_files):
            yield kind(name, result), name


def _of_the_service(name: str, result: Result) -> Iterator[str]:
    processes = result.processes
    if not result.measured and result.python:
        yield f"{name} is not measured: {result.reason}"
    if result.silent and processes.silent:
        yield (
            f"{name} sent nothing, so nothing is known of it{_seen_there(processes)}: look into its log whether it "
            f"started, and {REMEDY}"
        )
    elif result.silent:
        yield (
            f"{name} sent nothing and nobody saw it run, so nothing is known of it: look into its log whether it "
            "started, and into the compose file whether it is scaled to nothing"
        )


def _of_refusals(name: str, result: Result) -> Iterator[str]:
    for refusal, count in result.processes.refusals.items():
        yield f"{name}: {refusal} ({counted(count, 'process')})"


def _of_claims(name: str, result: Result) -> Iterator[str]:
    for claimed, count in result.claims.items():
        yield (
            f"{name}: {counted(count, 'process')} said to be of {claimed}, and counts for {name}, to whose "
            "directory it wrote: look what sets COVERAGE_FILE there"
        )


def _of_processes(name: str, result: Result) -> Iterator[str]:
    if result.processes.ran_nothing_measured:
        yield (
            f"{name}: none of its {counted(result.processes.without_lines, 'process')} ran code that is measured: "
            "look where its code lies in the container, and set COVERAGE_SOURCE to that"
        )


def _of_silent(name: str, result: Result) -> Iterator[str]:
    # Of a service that sent nothing at all, the sentence of the service says enough.
    for silent in result.processes.silent if result.processes.all else ():
        yield f"{name}: {described(silent)} sent no receipt, so what it ran is unknown: {REMEDY}"


def _of_versions(name: str, result: Result) -> Iterator[str]:
    if result.processes.end_unknown:
        yield (
            f"{name}: {counted(result.processes.end_unknown, 'process')} had not taken leave, so lines first run in "
            "the last 0.1 s may be missing: Python 3.12 or newer leaves no such gap, unless it records branches"
        )
    if result.fallback:
        yield (
            f"{name} could not write to coverage-data, so its journals were copied out of its container: "
            "those of containers that were removed before are lost"
        )
    for commit, paths in _by_value({path: carried.commit for path, carried in result.carried.items()}).items():
        files = [result.carried[path] for path in paths]
        lines, lost = (sum(numbers) for numbers in zip(*((file.lines, file.lost) for file in files), strict=True))
        yield (
            f"{name}: {some(paths)} as of commit {commit[:10]}: {counted(lines, 'executed line')} carried over to "
            f"the same statements, {lost} lost, and what changed since is unknown: rebuild the image"
        )


def _of_files(name: str, result: Result) -> Iterator[str]:
    # Of a service that is unknown as a whole, the sentence of the service says enough.
    for reason, paths in _by_value({} if result.why_unknown else result.unknown).items():
        yield f"{name}: {some(paths)} unknown: {reason}"
    for reason, paths in _by_value(result.unmapped).items():
        yield f"{name}: {some(paths)} not mapped: {reason}"


def _seen_there(processes: Processes) -> str:
    seen = [described(silent) for silent in processes.silent if silent.pid or silent.command]
    return f" ({counted(len(seen), 'place')} ran without a receipt, such as {seen[0].rstrip(',')})" if seen else ""


def described(silent: Silent) -> str:
    """What sent no receipt, where and since when, as the subject of a sentence."""
    since = time.strftime("%H:%M:%S", time.localtime(silent.started))
    return f"{silent.command or 'what ran'} in {silent.place}, there since {since},"


def _by_value(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    grouped = defaultdict(list)
    for path, reason in reasons.items():
        grouped[reason].append(path)
    return grouped


def some(paths: Sequence[str]) -> str:
    """The first of the paths and how many more there are, with the verb."""
    if len(paths) == 1:
        return f"{paths[0]} is"
    return f"{paths[0]} and {counted(len(paths) - 1, 'other file')} are"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _write_coverage(project: Project, combined: Combined, painted: Mapping[str, _Painted]) -> None:
    """Write .coverage with repository-relative paths: `relative_files` of scripts/coveragerc reads them."""
    with tempfile.TemporaryDirectory(prefix=".coverage-", dir=project.root) as directory:
        file = Path(directory, "data")
        data = CoverageData(str(file))
        if combined.branch:
            data.add_arcs({})
        else:
            data.add_lines({})
        for name, found in painted.items():
            data.set_context(name)
            if combined.branch:
                data.add_arcs(found.arcs)
            else:
                data.add_lines(found.lines)
                data.add_lines({path: lines_of(arcs) for path, arcs in found.arcs.items()})
        data.touch_files(sorted(combined.files - data.measured_files()))
        data.close()
        file.replace(project.coverage_file)
