"""coverage.py on the combined data: one analysis of each file, shared by every report."""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from coverage import Coverage, CoverageData
from coverage.exceptions import CoverageException
from coverage.plugin import FileReporter
from coverage.python import PythonFileReporter
from coverage.report_core import get_analysis_to_report
from coverage.results import Analysis, analysis_from_file_reporter
from coverage.types import TMorf

from ..combined.model import Combined
from ..coverage_settings import Settings
from ..errors import TaskError
from ..progress import Stage, advance
from .lines import Function, Lines


@dataclass
class Analysed:
    """One pass over all files of a data file of coverage.py's, whose paths are relative to `root`.

    `unparsed` are those that this Python cannot read, with the reason; `unknown` are the statements of the files of
    which nothing is known. `settings` say how all were read. `analyses`: service, or "" for all -> file -> analysis.
    """

    root: Path
    file: Path
    combined: Combined
    settings: Settings
    files: dict[str, Lines] = field(default_factory=dict)
    unparsed: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, frozenset[int]] = field(default_factory=dict)
    analyses: dict[str, dict[str, Analysis]] = field(default_factory=lambda: defaultdict(dict))


class _PartlyKnown(PythonFileReporter):
    """A file of which some lines are known only: statements on the others are excluded, neither executed nor missed."""

    known: frozenset[int]

    def lines(self) -> set[int]:
        """Return the statements that something is known of."""
        return super().lines() & self.known

    @property
    def unknown(self) -> frozenset[int]:
        """The other statements."""
        return frozenset(super().lines() - self.known)

    def excluded_lines(self) -> set[int]:
        """Return what the settings exclude, and the other statements."""
        return super().excluded_lines() | self.unknown

    def exit_counts(self) -> dict[int, int]:
        """Leave out those of the other statements."""
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


def analyse(root: Path, file: Path, combined: Combined, settings: Settings) -> Analysed:
    """Analyse a data file whose paths are relative to `root`, where the sources are that it speaks of.

    Raise TaskError when it cannot be read.
    """
    found = Analysed(root, file, combined, settings)
    with opened_coverage(found) as coverage:
        _analyse_all(coverage, found)
    return found


@contextmanager
def opened_coverage(analysed: Analysed, service: str = "") -> Iterator[Coverage]:
    """Open coverage.py on what was analysed, with the repository's settings, in its root.

    With a `service` only what that executed counts. Raise TaskError when the data cannot be read.
    """
    # Python may have warnings about a source that it parses; they are not about its coverage.
    with chdir(analysed.root), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            coverage = _SharedPass(data_file=str(analysed.file), config_file=False, messages=False)
            coverage.analyses, coverage.combined = analysed.analyses[service], analysed.combined
            for option, value in analysed.settings.options.items():
                coverage.set_option(option, value)
            coverage.load()
        except CoverageException as error:
            raise TaskError(f"coverage.py cannot begin: {error}; combine again") from None
        try:
            yield coverage
        finally:
            coverage.get_data().close()


def _analyse_all(coverage: Coverage, found: Analysed) -> None:
    combined, analyses = found.combined, found.analyses
    services, owners = combined.services, combined.owners
    coverage.set_option("report:ignore_errors", False)
    paths = sorted(filter(found.settings.counts, {*coverage.get_data().measured_files(), *combined.unknown}))
    with Stage("analysing the sources", len(paths)):
        for path in paths:
            try:
                for reporter, analysis in get_analysis_to_report(coverage, [path]):
                    if path in combined.unknown:
                        found.unknown[path] = frozenset(analysis.statements)
                        continue
                    by_service = _by_service(coverage.get_data(), path, reporter, analysis)
                    for name in owners[path]:
                        analyses[name][path] = by_service.get(name) or _without_lines(analysis)
                    startup = {name: services[name].startup.get(path, ()) for name in by_service.keys() & services}
                    found.files[path] = _lines(analysis, by_service, reporter, startup)
            except Exception as error:  # a parser may raise anything at what lies there under a source's name
                if path not in combined.unknown:
                    found.unparsed[path] = str(error).removeprefix(f"Couldn't parse '{path}' as Python source: ")


def _without_lines(analysis: Analysis) -> Analysis:
    """Return the same analysis, of a service that executed nothing of the file."""
    return replace(analysis, executed=set(), arcs_executed_set=set())


def _by_service(data: CoverageData, path: str, reporter: FileReporter, analysis: Analysis) -> dict[str, Analysis]:
    """Return the same analysis with what each service executed alone, of those that executed something."""
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
