"""What ran, what did not, what nobody imported, and what is unknown and why: per service and per directory."""

import json
import time
import warnings
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from coverage import Coverage, CoverageData
from coverage.exceptions import CoverageException, NoDataError
from coverage.plugin import FileReporter
from coverage.report_core import get_analysis_to_report
from coverage.results import Analysis, analysis_from_file_reporter

from .combine import Combined, printable, read_combined
from .processes import Processes
from .project import TOOL, Project, TaskError

CONFIG = TOOL / "scripts" / "coveragerc"

# Rows of complete processes that the tables show; --json has all.
SHOWN_PROCESSES = 20
PROCESS_COUNTS = ("all", "without_lines", "not_measured", "end_unknown", "refusals")

Row = dict[str, str]  # heading -> cell


@dataclass(frozen=True)
class Lines:
    """The statements of one file, by the numbers of their first lines, as coverage.py analyses them.

    And how many branches it has and how many were taken, 0 where only lines were recorded.
    """

    statements: frozenset[int]
    executed: frozenset[int]
    by_service: Mapping[str, frozenset[int]]
    branches: int
    taken: int
    taken_by_service: Mapping[str, int]


@dataclass(frozen=True)
class Totals:
    """Numbers of a set of files; `unknown` counts files and is no part of the others."""

    files: int
    statements: int
    executed: int
    never_imported: int
    unknown: int
    branches: int = 0
    taken: int = 0

    @property
    def missed(self) -> int:
        """Statements that were not executed."""
        return self.statements - self.executed

    @property
    def cover(self) -> str:
        """Of statements and branches together, as coverage.py counts."""
        return percent(self.executed + self.taken, self.statements + self.branches)


@dataclass(frozen=True)
class Results:
    """One pass over all files: `unparsed` are those that this Python cannot read, with the reason."""

    combined: Combined
    files: Mapping[str, Lines]
    unparsed: Mapping[str, str]

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
            yield printable(f"{path} is unknown: {reason}; report with a Python that can parse it")

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

    def total(self) -> Totals:
        """The numbers of the whole repository: what any service executed."""
        services = self.combined.services.values()
        imported = {path for result in services for path in {*result.files} - {*result.never_imported}}
        unmapped = sum(len(result.unmapped) for result in services)
        files = self.files.values()
        return Totals(
            files=len(files),
            statements=sum(len(lines.statements) for lines in files),
            executed=sum(len(lines.executed) for lines in files),
            never_imported=len(self.files.keys() - imported),
            unknown=len(self.combined.unknown) + len(self.unparsed) + unmapped,
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
            statements=sum(len(lines.statements) for lines in known.values()),
            executed=sum(len(lines.by_service.get(name, ())) for lines in known.values()),
            never_imported=len(known.keys() & never_imported),
            unknown=sum(path in result.unknown or path in result.unmapped or path in self.unparsed for path in paths),
            branches=sum(lines.branches for lines in known.values()),
            taken=sum(lines.taken_by_service.get(name, 0) for lines in known.values()),
        )


@contextmanager
def opened_coverage(project: Project) -> Iterator[Coverage]:
    """coverage.py on the combined data, with the tool's own settings, in the project's root.

    Raises TaskError when nothing has been combined, or the settings are not coverage.py's.
    """
    if not project.coverage_file.is_file():
        raise TaskError("nothing has been combined yet: run coverage-combine first")
    # Python may have warnings about a source that it parses; they are not about its coverage.
    with chdir(project.root), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            coverage = Coverage(data_file=str(project.coverage_file), config_file=str(CONFIG), messages=False)
            coverage.set_option("run:relative_files", True)
            coverage.load()
        except CoverageException as error:
            raise TaskError(f"coverage.py cannot begin: {error}; correct {CONFIG}, or combine again") from None
        try:
            yield coverage
        finally:
            coverage.get_data().close()


def read_results(project: Project) -> Results:
    """Read and analyse what was combined, each file once. Raises TaskError when nothing has been combined."""
    combined = read_combined(project)
    try:
        changed = project.coverage_file.stat().st_mtime_ns
    except OSError:
        changed = 0
    files, unparsed = _analyse(project, changed)
    return Results(combined, files, unparsed)


@lru_cache(maxsize=1)
def _analyse(project: Project, _changed: int) -> tuple[dict[str, Lines], dict[str, str]]:
    files, unparsed = {}, {}
    with opened_coverage(project) as coverage:
        coverage.set_option("report:ignore_errors", False)
        for path in sorted(coverage.get_data().measured_files()):
            try:
                for reporter, analysis in get_analysis_to_report(coverage, [path]):
                    files[path] = _lines(coverage.get_data(), path, reporter, analysis)
            except NoDataError:
                continue  # left out by scripts/coveragerc
            except Exception as error:  # a parser may raise anything at what lies there under a source's name
                unparsed[path] = str(error).removeprefix(f"Couldn't parse '{path}' as Python source: ")
    return files, unparsed


def _lines(data: CoverageData, path: str, reporter: FileReporter, analysis: Analysis) -> Lines:
    executed: dict[str, set[int]] = defaultdict(set)
    for line, services in data.contexts_by_lineno(path).items():
        for service in services:
            executed[service].add(line)
    taken = {}
    for service in executed if analysis.has_arcs else ():
        data.set_query_context(service)
        own = analysis_from_file_reporter(data, analysis.precision, reporter, path)
        taken[service] = own.numbers.n_executed_branches
        data.set_query_contexts(None)
    return Lines(
        frozenset(analysis.statements),
        frozenset(analysis.executed),
        {
            service: frozenset(reporter.translate_lines(lines) & analysis.statements)
            for service, lines in sorted(executed.items())
        },
        analysis.numbers.n_branches,
        analysis.numbers.n_executed_branches,
        taken,
    )


def analyze(project: Project, args: Namespace) -> None:
    """Print the analysis: a table, or JSON (`args.json`), or Markdown (`args.markdown`)."""
    results = read_results(project)
    if args.json:
        print(json.dumps(_as_json(results), indent=1))
        return
    for name, result in results.combined.services.items():
        of = {**results.of_directories(name), "all": results.of_service(name)}
        directories = [_row(directory, totals, results.combined.branch) for directory, totals in of.items()]
        print(f"## {escaped(printable(name))}" if args.markdown else printable(name))
        for rows in (directories, _process_rows(result.processes)):
            if rows:
                lines = markdown_table(rows) if args.markdown else ["  " + line for line in text_table(rows)]
                print(*([""] if args.markdown else []), *lines, "", sep="\n")
    for finding in results.findings:
        print(f"- {escaped(finding) if args.markdown else finding}")


def _process_rows(processes: Processes) -> list[Row]:
    """The processes, those of which something is not known first; of the others no more than fit on a screen."""
    rows = [
        _process_row(silent.started, silent.place, silent.pid, silent.command, "", "no receipt")
        for silent in processes.silent
    ]
    known = sorted(processes.known, key=lambda process: process.state == "complete")
    unknown = sum(process.state != "complete" for process in known)
    for process in known[: unknown + SHOWN_PROCESSES]:
        program = f"Python {process.python}, {process.engine}"
        rows.append(
            _process_row(process.started, process.host, process.pid, program, str(process.lines), process.state)
        )
    if len(known) > unknown + SHOWN_PROCESSES:
        rows.append(dict.fromkeys(rows[0], "") | {"process": f"and {len(known) - unknown - SHOWN_PROCESSES} more"})
    return rows


def _process_row(started: float, place: str, pid: int, program: str, lines: str, state: str) -> Row:
    return {
        "process": printable(program),
        "in": printable(place),
        "pid": str(pid or ""),
        "since": time.strftime("%H:%M:%S", time.localtime(started)),
        "lines": lines,
        "state": state,
    }


def _row(directory: str, totals: Totals, branch: bool) -> Row:
    return {
        "directory": printable(directory),
        **counts(totals, branch),
        "never imported": str(totals.never_imported),
        "unknown": str(totals.unknown),
    }


def counts(totals: Totals, branch: bool) -> Row:
    """The part of a row that is coverage.py's numbers, with the branches where they were recorded."""
    names = ("files", "statements", "executed", "missed", *(("branches", "taken") if branch else ()))
    return {**{name: str(getattr(totals, name)) for name in names}, "cover": totals.cover}


def _as_json(results: Results) -> dict[str, Any]:
    combined = results.combined
    services = {}
    for name, result in combined.services.items():
        known = asdict(result)
        known["processes"] |= {count: getattr(result.processes, count) for count in PROCESS_COUNTS}
        known["files"] = {path: _file_as_json(results, name, path) for path in result.files if path in results.files}
        known["totals"] = _totals_as_json(results.of_service(name))
        known["directories"] = {
            directory: _totals_as_json(totals) for directory, totals in results.of_directories(name).items()
        }
        services[name] = known
    return {
        "version": 1,
        "totals": _totals_as_json(results.total()),
        "services": services,
        "unknown": {**combined.unknown, **results.unparsed},
        "findings": results.findings,
    }


def _file_as_json(results: Results, service: str, path: str) -> dict[str, list[int]]:
    lines = results.files[path]
    executed = lines.by_service.get(service, frozenset())
    return {"executed": sorted(executed), "missed": sorted(lines.statements - executed)}


def _totals_as_json(totals: Totals) -> dict[str, int]:
    return asdict(totals) | {"missed": totals.missed}


def text_table(rows: Sequence[Row]) -> list[str]:
    """Lines of a table for a terminal, headings first: the first column to the left, numbers to the right."""
    table = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))])
        for first, *rest in table
    ]


def markdown_table(rows: Sequence[Row]) -> list[str]:
    """Lines of the same table in Markdown."""
    lines = [f"| {' | '.join(map(escaped, cells))} |" for cells in (rows[0], *(row.values() for row in rows))]
    return [lines[0], f"| --- |{' ---: |' * (len(rows[0]) - 1)}", *lines[1:]]


def percent(executed: int, statements: int) -> str:
    """Rounded, but 0 % and 100 % only where it is exactly that; "-" of nothing."""
    if not statements:
        return "-"
    rounded = round(100 * executed / statements)
    if executed:
        rounded = max(rounded, 1)
    if executed < statements:
        rounded = min(rounded, 99)
    return f"{rounded} %"


def escaped(text: str) -> str:
    """The text as Markdown shows it, whatever it is."""
    for special in "\\`*_[]<>|":
        text = text.replace(special, f"&#{ord(special)};")
    return text
