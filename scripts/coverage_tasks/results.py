"""Which statements of which files each service executed: one pass over all files, shared by every report."""

import os
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase as fnmatch
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from coverage import Coverage, CoverageData
from coverage.exceptions import CoverageException, NoDataError
from coverage.plugin import FileReporter
from coverage.python import PythonFileReporter
from coverage.report_core import get_analysis_to_report
from coverage.results import Analysis, analysis_from_file_reporter
from coverage.types import TMorf

from .combine import Combined, Result, printable, read_combined
from .progress import Stage, advance
from .project import TOOL, Project, TaskError, counted
from .reader import NewerSource, find_reader
from .tables import Row, percent

CONFIG = TOOL / "scripts" / "coveragerc"


class Share(NamedTuple):
    """How many were executed of how many: statements and branches together, as coverage.py counts."""

    executed: int
    of: int

    def __str__(self) -> str:
        """In percent, see `percent`."""
        return percent(*self)

    @classmethod
    def sum(cls, shares: Iterable["Share"]) -> "Share":
        """All of them together."""
        found = list(shares)
        return cls(sum(share.executed for share in found), sum(share.of for share in found))

    @property
    def exactly(self) -> str:
        """In percent with two decimals, never rounded up."""
        return f"{self.executed * 10000 // self.of / 100:.2f} %" if self.of else "-"

    @property
    def missed(self) -> int:
        """How many were not executed."""
        return self.of - self.executed


@dataclass(frozen=True)
class Lines:
    """The statements of one file, by the numbers of their first lines, as coverage.py analyses them.

    `startup` are those of `by_service` that ran before the stack was ready; whether traffic executed them again is not
    known. `unknown` are further statements, of which no service can say anything. `branches` are how many it has and
    `taken` how many were taken, 0 where only lines were recorded.
    """

    statements: frozenset[int]
    executed: frozenset[int]
    by_service: Mapping[str, frozenset[int]]
    branches: int
    taken: int
    taken_by_service: Mapping[str, int]
    functions: tuple["Function", ...] = ()
    startup: Mapping[str, frozenset[int]] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()

    @property
    def all(self) -> frozenset[int]:
        """The statements, those that nobody can say anything about among them."""
        return self.statements | self.unknown

    @property
    def missed(self) -> frozenset[int]:
        """The statements that no service executed."""
        return self.statements - self.executed

    @property
    def share(self) -> Share:
        """What all services executed."""
        return Share(len(self.executed) + self.taken, len(self.statements) + self.branches)

    @property
    def early(self) -> frozenset[int]:
        """The statements that some service executed before the stack was ready."""
        return self.executed.intersection(frozenset().union(*self.startup.values()))

    @cached_property
    def bodies(self) -> frozenset[int]:
        """The statements inside functions; the others are definitions, which importing the file executes."""
        return frozenset().union(*(function.statements for function in self.functions))

    def phases(self, service: str) -> "Phases":
        """When a service first executed the statements that it did."""
        executed = self.by_service.get(service, frozenset())
        early = executed & self.startup.get(service, frozenset()) & self.bodies
        return Phases(len(executed - self.bodies), len(early), len((executed & self.bodies) - early))

    def only(self, service: str) -> frozenset[int]:
        """The statements that this service executed and no other."""
        others = (lines for name, lines in self.by_service.items() if name != service)
        return self.by_service.get(service, frozenset()).difference(*others)


class Phases(NamedTuple):
    """Numbers of executed statements: outside of functions; in functions, before the stack was ready and after."""

    definitions: int
    startup: int
    traffic: int


class Function(NamedTuple):
    """A function or method of a file: its qualified name, the line it begins in, and its body.

    That is the `statements` by their first lines, and all `lines` of it.
    """

    name: str
    start: int
    statements: frozenset[int]
    lines: frozenset[int]


@dataclass(frozen=True)
class Totals:
    """Numbers of a set of files. What is unknown is no part of the others: `unknown` counts files.

    `unknown_statements` are theirs, and those of files that are known in part; what lies in no file of the repository,
    or cannot be parsed, has none. `at_least`: there was a process of which nothing is known, which may have executed
    more.
    """

    files: int
    statements: int
    executed: int
    never_imported: int
    unknown: int
    unknown_statements: int = 0
    at_least: bool = False
    branches: int = 0
    taken: int = 0

    @property
    def missed(self) -> int:
        """Statements that were not executed."""
        return self.statements - self.executed

    @property
    def share(self) -> Share:
        """Of statements and branches together."""
        return Share(self.executed + self.taken, self.statements + self.branches)

    @property
    def cover(self) -> str:
        """The share in percent, of what is known."""
        return f"at least {self.share}" if self.at_least else str(self.share)

    @property
    def unknowns(self) -> str:
        """What is unknown, in words."""
        numbers = ((self.unknown, "file"), (self.unknown_statements, "statement"))
        return ", ".join(counted(number, noun) for number, noun in numbers if number) or "0"


@dataclass(frozen=True)
class Results:
    """One pass over all files: `unparsed` are those that this Python cannot read, with the reason.

    `unknown` are the statements of the files of which nothing is known.
    """

    combined: Combined
    files: Mapping[str, Lines]
    unparsed: Mapping[str, str]
    unknown: Mapping[str, frozenset[int]]

    @property
    def damage(self) -> list[str]:
        """The journals that `combine` could not read, and the sources that could not be parsed."""
        return [*self.combined.damage, *self._cannot_parse()]

    @property
    def findings(self) -> list[str]:
        """All that `combine` found, and the sources that could not be parsed."""
        return [*self.combined.findings, *self._cannot_parse()]

    def _cannot_parse(self) -> Iterator[str]:
        for path, reason in self.unparsed.items():
            yield printable(f"{path} is unknown: {reason}; {self._reader(path)}")

    def newer_python(self, path: str) -> tuple[int, ...]:
        """The version of the newest Python of the services that have a file; () where it is no newer than this one."""
        services = [result for result in self.combined.services.values() if path in result.files]
        newest = max((_version(python) for result in services for python in result.python), default=())
        return newest if newest > sys.version_info[:2] else ()

    def _reader(self, path: str) -> str:
        """What to do about a file that this Python cannot parse: what ran it can, and perhaps what has it."""
        newest = self.newer_python(path)
        leave_out = f"correct it, or leave it out under `omit` in {os.path.relpath(CONFIG)}"
        if not newest:
            return leave_out
        version = ".".join(map(str, newest))
        report = f"make python{version} available on PATH, the Python of its service, and reports will use it"
        services = (result for result in self.combined.services.values() if path in result.files)
        ran = any(path not in result.never_imported for result in services)
        return report if ran else f"{report}, and if that cannot either, {leave_out}"

    def of_service(self, name: str) -> Totals:
        """A service's numbers, of its own files."""
        result = self.combined.services[name]
        return self._totals(name, [*result.files, *result.unknown, *result.unmapped])

    def of_directories(self, name: str) -> dict[str, Totals]:
        """A service's numbers by directory, of its own files directly in it, and of what is not mapped."""
        result = self.combined.services[name]
        paths = defaultdict(list)
        for path in (*result.files, *result.unknown, *result.unmapped):
            paths[str(PurePosixPath(path).parent)].append(path)
        return {directory: self._totals(name, paths[directory]) for directory in sorted(paths)}

    def phases(self, name: str) -> Phases:
        """When a service first executed its statements, over all files."""
        found = [lines.phases(name) for lines in self.files.values()]
        return Phases(*map(sum, zip(*found, strict=True))) if found else Phases(0, 0, 0)

    @property
    def startup_is_known(self) -> bool:
        """Whether anybody marked where start-up ended; without, everything looks like traffic."""
        return any(result.startup for result in self.combined.services.values())

    def share_of(self, name: str, path: str) -> Share:
        """What a service executed of a file of its own."""
        lines = self.files[path]
        executed = len(lines.by_service.get(name, ())) + lines.taken_by_service.get(name, 0)
        statements = self.combined.services[name].statements(path, lines.statements)
        return Share(executed, len(statements) + lines.branches)

    def missed_by(self, name: str, path: str) -> frozenset[int]:
        """The statements of a file of its own that a service did not execute."""
        lines = self.files[path]
        statements = self.combined.services[name].statements(path, lines.statements)
        return statements - lines.by_service.get(name, frozenset())

    def only(self, name: str) -> int:
        """How many statements this service executed and no other."""
        return sum(len(lines.only(name)) for lines in self.files.values())

    def gaps(self) -> list[tuple[str, Lines]]:
        """The files with statements that no service executed, those with most of them first."""
        found = [(path, lines) for path, lines in self.files.items() if lines.missed]
        return sorted(found, key=lambda gap: (-len(gap[1].missed), gap[0]))

    def never_executed(self) -> list[tuple[str, Function]]:
        """The functions of which no service executed a statement, the longest first."""
        found = [
            (path, function)
            for path, lines in self.files.items()
            for function in lines.functions
            if function.statements and not function.statements & lines.executed
        ]
        return sorted(found, key=lambda pair: (-len(pair[1].statements), pair[0], pair[1].start))

    def never_imported(self) -> list[str]:
        """The files that no service imported."""
        return sorted(self.files.keys() - self.combined.imported)

    def narrowed(self, services: Collection[str], path: str) -> "Results":
        """The same of these services only, or of all when there are none; and of files that match a glob."""
        kept = {name: r for name, r in self.combined.services.items() if not services or name in services}
        combined = replace(self.combined, services={name: _narrowed(r, path) for name, r in kept.items()})
        files = {
            file: replace(lines, by_service={name: own for name, own in lines.by_service.items() if name in kept})
            for file, lines in self.files.items()
            if file in combined.files
        }
        if services:
            files = {
                file: replace(lines, executed=frozenset().union(*lines.by_service.values()))
                for file, lines in files.items()
            }
        return Results(
            combined,
            files,
            {file: why for file, why in self.unparsed.items() if fnmatch(file, path)},
            {file: self._statements(file) for file in combined.unknown},
        )

    def _statements(self, path: str) -> frozenset[int]:
        """All statements of a file, whether anything is known of them or not."""
        return self.files[path].all if path in self.files else self.unknown.get(path, frozenset())

    def shares(self, service: str = "") -> dict[str, Share]:
        """What a service executed of each of its own files; without a service, what any executed of all files."""
        if not service:
            return {path: lines.share for path, lines in self.files.items()}
        own = self.combined.services[service].files
        return {path: self.share_of(service, path) for path in own if path in self.files}

    def total(self) -> Totals:
        """The numbers of the whole repository: what any service executed."""
        services = self.combined.services.values()
        unmapped = sum(len(result.unmapped) for result in services)
        files = self.files.values()
        return Totals(
            files=len(files),
            statements=sum(len(lines.statements) for lines in files),
            executed=sum(len(lines.executed) for lines in files),
            never_imported=len(self.never_imported()),
            unknown=len(self.combined.unknown) + len(self.unparsed) + unmapped,
            unknown_statements=sum(map(len, self.unknown.values())) + sum(len(lines.unknown) for lines in files),
            at_least=any(result.processes.unaccounted for result in services),
            branches=sum(lines.branches for lines in files),
            taken=sum(lines.taken for lines in files),
        )

    def _totals(self, name: str, paths: Iterable[str]) -> Totals:
        result = self.combined.services[name]
        own, never_imported = set(result.files), set(result.never_imported)
        paths = set(paths)
        known = {path: self.files[path] for path in paths & own if path in self.files}
        return Totals(
            files=len(known),
            statements=sum(len(result.statements(path, lines.statements)) for path, lines in known.items()),
            executed=sum(len(lines.by_service.get(name, ())) for lines in known.values()),
            never_imported=len(known.keys() & never_imported),
            unknown=sum(path in result.unknown or path in result.unmapped or path in self.unparsed for path in paths),
            unknown_statements=sum(len(self._statements(path)) for path in paths & result.unknown.keys())
            + sum(len(lines.all - result.statements(path, lines.all)) for path, lines in known.items()),
            at_least=result.processes.unaccounted,
            branches=sum(lines.branches for lines in known.values()),
            taken=sum(lines.taken_by_service.get(name, 0) for lines in known.values()),
        )


def _narrowed(result: Result, path: str) -> Result:
    def kept(reasons: Mapping[str, str]) -> dict[str, str]:
        return {file: why for file, why in reasons.items() if fnmatch(file, path)}

    return replace(
        result,
        files=[file for file in result.files if fnmatch(file, path)],
        never_imported=[file for file in result.never_imported if fnmatch(file, path)],
        unknown=kept(result.unknown),
        unmapped=kept(result.unmapped),
    )


def _version(python: str) -> tuple[int, ...]:
    """(3, 12) of "3.12.1"; nothing of what is no version."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})", python)
    return tuple(map(int, found.groups())) if found else ()


class _PartlyKnown(PythonFileReporter):
    """A file of which some lines are known only: statements on the others are excluded, neither executed nor missed."""

    known: frozenset[int]

    def lines(self) -> set[int]:
        """The statements that something is known of."""
        return super().lines() & self.known

    @property
    def unknown(self) -> frozenset[int]:
        """The other statements."""
        return frozenset(super().lines() - self.known)

    def excluded_lines(self) -> set[int]:
        """What the settings exclude, and the other statements."""
        return super().excluded_lines() | self.unknown

    def exit_counts(self) -> dict[int, int]:
        """Without those of the other statements."""
        return {line: count for line, count in super().exit_counts().items() if line in self.known}


class _SharedPass(Coverage):
    """coverage.py with one analysis of each file, whatever the number of reports: parsing is most of their time.

    And with files that are known in part. `_analyze` and `_get_file_reporter` are not public; all reports of coverage
    7.17 get their analyses from them.
    """

    analyses: dict[str, Analysis]
    combined: Combined

    def _get_file_reporter(self, morf: TMorf) -> FileReporter:
        known = self.combined.known_lines(str(morf))
        if known is None:
            return super()._get_file_reporter(morf)
        reporter = _PartlyKnown(morf, self)
        reporter.known = frozenset(known)
        return reporter

    def _analyze(self, morf: TMorf, file_reporter: FileReporter | None = None) -> Analysis:
        advance()
        key = str(morf)
        if key not in self.analyses:
            self.analyses[key] = super()._analyze(morf, file_reporter)
        elif file_reporter and self.analyses[key].has_arcs:
            file_reporter.arcs()  # or it can't describe a branch, as html and lcov ask it to
        return self.analyses[key]


@contextmanager
def opened_coverage(project: Project, service: str = "") -> Iterator[Coverage]:
    """coverage.py on the combined data, with the tool's own settings, in the project's root.

    With a `service` only what that executed counts, once `read_results` has read it. Raises TaskError when nothing
    has been combined, or the settings are not coverage.py's.
    """
    if not project.coverage_file.is_file():
        raise TaskError("nothing has been combined yet: run coverage-combine first")
    analyses = _analyses(project, _changed(project))[service]
    with _opened(project.root, project.coverage_file, read_combined(project), analyses) as coverage:
        yield coverage


@contextmanager
def _opened(root: Path, file: Path, combined: Combined, analyses: dict[str, Analysis]) -> Iterator[Coverage]:
    # Python may have warnings about a source that it parses; they are not about its coverage.
    with chdir(root), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            coverage = _SharedPass(data_file=str(file), config_file=str(CONFIG), messages=False)
            coverage.analyses, coverage.combined = analyses, combined
            coverage.set_option("run:relative_files", True)
            coverage.load()
        except CoverageException as error:
            raise TaskError(f"coverage.py cannot begin: {error}; correct {CONFIG}, or combine again") from None
        try:
            yield coverage
        finally:
            coverage.get_data().close()


def read_results(project: Project) -> Results:
    """Read and analyse what was combined, each file once.

    Raises TaskError when nothing has been combined, and NewerSource when another Python here can parse more of it.
    """
    combined = read_combined(project)
    results = Results(combined, *_analyse(project, _changed(project)))
    wanted = {path: results.newer_python(path) for path in results.unparsed}
    newest = max(wanted.values(), default=())
    if newest and (python := find_reader(newest)):
        raise NewerSource(python, [path for path, version in wanted.items() if version])
    return results


def _changed(project: Project) -> int:
    try:
        return project.coverage_file.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def _analyses(_project: Project, _changed: int) -> dict[str, dict[str, Analysis]]:
    """Service, or "" for all of them -> file -> analysis."""
    return defaultdict(dict)


@lru_cache(maxsize=1)
def _analyse(project: Project, changed: int) -> tuple[dict[str, Lines], dict[str, str], dict[str, frozenset[int]]]:
    with opened_coverage(project) as coverage:
        return _analyse_all(coverage, read_combined(project), _analyses(project, changed))


def analyse_file(root: Path, file: Path, combined: Combined) -> tuple[dict[str, Lines], dict[str, str]]:
    """Analyse a data file of coverage.py's whose paths are relative to `root`, where the sources are that it speaks of.

    Returns its files, and those that cannot be parsed with the reason. Raises TaskError when it cannot be read.
    """
    analyses: dict[str, dict[str, Analysis]] = defaultdict(dict)
    with _opened(root, file, combined, analyses[""]) as coverage:
        return _analyse_all(coverage, combined, analyses)[:2]


def _analyse_all(
    coverage: Coverage, combined: Combined, analyses: dict[str, dict[str, Analysis]]
) -> tuple[dict[str, Lines], dict[str, str], dict[str, frozenset[int]]]:
    files, unparsed, unknown = {}, {}, {}
    services = combined.services
    owners: dict[str, list[str]] = defaultdict(list)
    for name, result in services.items():
        for path in result.files:
            owners[path].append(name)
    coverage.set_option("report:ignore_errors", False)
    data = coverage.get_data()
    paths = sorted({*data.measured_files(), *combined.unknown})
    with Stage("analysing the sources", len(paths)):
        for path in paths:
            try:
                for reporter, analysis in get_analysis_to_report(coverage, [path]):
                    if path in combined.unknown:
                        unknown[path] = frozenset(analysis.statements)
                        continue
                    by_service = _by_service(data, path, reporter, analysis)
                    for name in owners[path]:
                        analyses[name][path] = by_service.get(name) or _without_lines(analysis)
                    startup = {name: services[name].startup.get(path, ()) for name in by_service.keys() & services}
                    files[path] = _lines(analysis, by_service, reporter, startup)
            except NoDataError:
                continue  # left out by scripts/coveragerc
            except Exception as error:  # a parser may raise anything at what lies there under a source's name
                if path in combined.unknown:
                    continue
                unparsed[path] = str(error).removeprefix(f"Couldn't parse '{path}' as Python source: ")
    return files, unparsed, unknown


def _without_lines(analysis: Analysis) -> Analysis:
    """The same analysis, of a service that executed nothing of the file."""
    return replace(analysis, executed=set(), arcs_executed_set=set())


def _by_service(data: CoverageData, path: str, reporter: FileReporter, analysis: Analysis) -> dict[str, Analysis]:
    """The same analysis with what each service executed alone, of those that executed something."""
    executed: dict[str, set[int]] = defaultdict(set)
    for line, services in data.contexts_by_lineno(path).items():
        for service in services:
            executed[service].add(line)
    if not analysis.has_arcs:
        return {
            service: replace(analysis, executed=reporter.translate_lines(lines) & analysis.statements)
            for service, lines in sorted(executed.items())
        }
    found = {}
    for service in sorted(executed):
        data.set_query_context(service)
        found[service] = analysis_from_file_reporter(data, analysis.precision, reporter, path)
        data.set_query_contexts(None)
    return found


def _lines(
    analysis: Analysis,
    by_service: Mapping[str, Analysis],
    reporter: FileReporter,
    startup: Mapping[str, Iterable[int]],
) -> Lines:
    return Lines(
        frozenset(analysis.statements),
        frozenset(analysis.executed),
        {service: frozenset(own.executed) for service, own in by_service.items()},
        analysis.numbers.n_branches,
        analysis.numbers.n_executed_branches,
        {service: own.numbers.n_executed_branches for service, own in by_service.items()},
        tuple(
            Function(region.name, region.start, frozenset(region.lines & analysis.statements), frozenset(region.lines))
            for region in reporter.code_regions()
            if region.kind == "function"
        ),
        {
            service: frozenset(reporter.translate_lines(lines) & analysis.statements)
            for service, lines in startup.items()
        },
        reporter.unknown if isinstance(reporter, _PartlyKnown) else frozenset(),
    )


def counts(totals: Totals, branch: bool) -> Row:
    """The part of a row that is coverage.py's numbers, with the branches where they were recorded."""
    names = ("files", "statements", "executed", "missed", *(("branches", "taken") if branch else ()))
    return {**{name: str(getattr(totals, name)) for name in names}, "cover": totals.cover}
