"""What ran, what did not, what nobody imported, and what is unknown and why: per service and per directory."""

import json
from argparse import Namespace
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from coverage import Coverage
from coverage.exceptions import CoverageException, NoDataError
from coverage.report_core import get_analysis_to_report

from .combine import Combined, printable, read_combined
from .project import TOOL, Project, TaskError

HEADINGS = ("directory", "files", "statements", "executed", "missed", "cover", "never imported", "unknown")


@dataclass(frozen=True)
class Lines:
    """The statements of one file, by the numbers of their first lines, as coverage.py analyses them."""

    statements: frozenset[int]
    executed: frozenset[int]
    by_service: Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Totals:
    """Numbers of a set of files; `unknown` counts files and is no part of the others."""

    files: int
    statements: int
    executed: int
    never_imported: int
    unknown: int

    @property
    def missed(self) -> int:
        """Statements that were not executed."""
        return self.statements - self.executed


@dataclass(frozen=True)
class Results:
    """One pass over all files: `unparsed` are those that this Python cannot read, with the reason."""

    combined: Combined
    files: Mapping[str, Lines]
    unparsed: Mapping[str, str]

    @property
    def findings(self) -> list[str]:
        """What `combine` found, and the files that could not be parsed."""
        unparsed = (
            f"{path} is unknown: {reason}; report with a Python that can parse it"
            for path, reason in self.unparsed.items()
        )
        return [*self.combined.findings, *map(printable, unparsed)]

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
        return Totals(
            len(self.files),
            sum(len(lines.statements) for lines in self.files.values()),
            sum(len(lines.executed) for lines in self.files.values()),
            len(self.files.keys() - imported),
            len(self.combined.unknown) + len(self.unparsed) + unmapped,
        )

    def _totals(self, name: str, paths: Iterable[str]) -> Totals:
        result = self.combined.services[name]
        own, never_imported = set(result.files), set(result.never_imported)
        paths = set(paths)
        known = {path: self.files[path] for path in paths & own if path in self.files}
        return Totals(
            len(known),
            sum(len(lines.statements) for lines in known.values()),
            sum(len(lines.by_service.get(name, ())) for lines in known.values()),
            len(known.keys() & never_imported),
            sum(path in result.unknown or path in result.unmapped or path in self.unparsed for path in paths),
        )


def open_coverage(project: Project) -> Coverage:
    """coverage.py on the combined data, with the tool's own settings. The working directory must be the project's root.

    Raises TaskError when nothing has been combined, or the settings are not coverage.py's.
    """
    if not project.coverage_file.is_file():
        raise TaskError("nothing has been combined yet: run coverage-combine first")
    try:
        coverage = Coverage(data_file=str(project.coverage_file), config_file=str(TOOL / ".coveragerc"), messages=False)
        coverage.set_option("run:relative_files", True)
        coverage.load()
    except CoverageException as error:
        raise TaskError(
            f"coverage.py cannot begin: {error}; correct {TOOL / '.coveragerc'}, or combine again"
        ) from None
    return coverage


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
    with chdir(project.root):
        coverage = open_coverage(project)
        coverage.set_option("report:ignore_errors", False)
        data = coverage.get_data()
        for path in sorted(data.measured_files()):
            try:
                for reporter, analysis in get_analysis_to_report(coverage, [path]):
                    by_service: dict[str, set[int]] = defaultdict(set)
                    for line, services in data.contexts_by_lineno(path).items():
                        for service in services:
                            by_service[service].add(line)
                    files[path] = Lines(
                        frozenset(analysis.statements),
                        frozenset(analysis.statements & analysis.executed),
                        {
                            service: frozenset(reporter.translate_lines(lines) & analysis.statements)
                            for service, lines in sorted(by_service.items())
                        },
                    )
            except NoDataError:
                continue  # left out by .coveragerc
            except (CoverageException, OSError, ValueError) as error:
                unparsed[path] = str(error).removeprefix(f"Couldn't parse '{path}' as Python source: ")
        data.close()
    return files, unparsed


def analyze(project: Project, args: Namespace) -> None:
    """Print the analysis: a table, or JSON (`args.json`), or Markdown (`args.markdown`)."""
    results = read_results(project)
    if args.json:
        print(json.dumps(_as_json(results), indent=1))
        return
    for name in results.combined.services:
        rows = [_row(directory, totals) for directory, totals in results.of_directories(name).items()]
        rows.append(_row("all", results.of_service(name)))
        if args.markdown:
            cells = [[escaped(cell) for cell in row] for row in rows]
            print(f"## {escaped(printable(name))}", "", *markdown_table(HEADINGS, cells), "", sep="\n")
        else:
            print(printable(name), *("  " + line for line in text_table(HEADINGS, rows)), "", sep="\n")
    for finding in results.findings:
        print(f"- {escaped(finding) if args.markdown else finding}")


def _row(name: str, totals: Totals) -> list[str]:
    cover = percent(totals.executed, totals.statements)
    counts = (totals.files, totals.statements, totals.executed, totals.missed)
    return [printable(name), *map(str, counts), cover, str(totals.never_imported), str(totals.unknown)]


def _as_json(results: Results) -> dict[str, Any]:
    combined = results.combined
    services = {}
    for name, result in combined.services.items():
        known = asdict(result)
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


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table for a terminal: the first column to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in (headings, *rows)) for column in range(len(headings))]

    def line(row: Sequence[str]) -> str:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        return "  ".join([row[0].ljust(widths[0]), *cells])

    return [line(headings), *(line(row) for row in rows)]


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of the same table in Markdown; cells are escaped already."""
    return [
        f"| {' | '.join(headings)} |",
        f"| --- |{' ---: |' * (len(headings) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


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
