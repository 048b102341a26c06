"""What ran, what did not, what nobody imported, and what is unknown and why: per service and per directory."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from ..combined.findings import refusals_of
from ..errors import TaskError
from ..project import Project
from ..reports.processes import process_rows
from ..results.lines import Function
from ..results.results import Results, Totals, counts
from ..runs.dead_code import Candidates, find_candidates
from ..sources.branch import find_changes
from ..text import Row, counted, escaped, first_of, fitting, markdown_table, printable, text_table
from .answer import Answer

SHOWN_GAPS = 15
PROCESS_COUNTS = ("all", "without_lines", "partly_measured", "not_measured", "end_unknown")


def of_results(project: Project, results: Results, services: Collection[str], path: str, runs: int) -> Answer:
    """Return tables for each service, the gaps, and what somebody should look at.

    `services` and the glob `path` narrow it. What is a candidate for dead code also depends on the last `runs` saved
    runs. Raise TaskError for a service that was not combined.
    """
    for name in services:
        if name not in results.combined.services:
            known = ", ".join(results.combined.services)
            raise TaskError(f"there is no service {name!r} in what was combined: name one of {known}")
    results = results.narrowed(services, path)
    candidates = find_candidates(project, results, services, runs)
    findings = [*(finding.sentence for finding in results.findings), *candidates.notes]

    def lines(markdown: bool) -> Iterator[str]:
        sections = _sections(project, results, candidates)
        return fitting(_markdown(sections, findings)) if markdown else _text(sections, findings)

    return Answer(lambda: _as_json(results, candidates), lines)


class Section(NamedTuple):
    """A heading, and the tables below it."""

    title: str
    tables: list[list[Row]]


def _sections(project: Project, results: Results, candidates: Candidates) -> Iterator[Section]:
    for name, result in results.combined.services.items():
        of = {**results.of_directories(name), "all": results.of_service(name)}
        directories = [_row(directory, totals, results.combined.branch) for directory, totals in of.items()]
        yield Section(printable(name), [rows for rows in (directories, process_rows(result.processes)) if rows])
    changed = find_changes(project.root).files
    for title, rows in (
        ("when the executed statements first ran", _phase_rows(results)),
        ("what no service executed", _gap_rows(results, changed)),
        (f"functions that no service executed{_in(candidates)}", _function_rows(candidates, changed)),
        (f"imported by no service{_in(candidates)}", _file_rows(candidates)),
    ):
        if rows:
            yield Section(title, [first_of(rows, SHOWN_GAPS)])


def _phase_rows(results: Results) -> list[Row]:
    """Return a row for each service. Nobody knows what traffic ran again: a process records each line once."""
    return [
        {
            "service": printable(name),
            "on import": str(phases.definitions),
            **({"at start-up": str(phases.startup)} if results.startup_is_known else {}),
            "by traffic": str(phases.traffic),
            "only here": str(results.only(name)),
        }
        for name, phases in ((name, results.phases(name)) for name in results.combined.services)
        if any(phases)
    ]


def _gap_rows(results: Results, changed: Collection[str]) -> list[Row]:
    ranked = sorted(results.gaps(), key=lambda gap: gap[0] not in changed)
    return [
        {
            "file": printable(path),
            "missed": str(len(lines.missed)),
            "of": str(len(lines.statements)),
            "changed": "changed" if path in changed else "",
        }
        for path, lines in ranked
    ]


def _function_rows(candidates: Candidates, changed: Collection[str]) -> list[Row]:
    ranked = sorted(candidates.functions, key=lambda found: found.path not in changed)
    return [
        {
            "function": printable(f"{found.path}:{found.function.start} {found.function.name}"),
            "statements": str(len(found.function.statements)),
            "changed": "changed" if found.path in changed else "",
            **_known(found.runs, candidates),
        }
        for found in ranked
    ]


def _file_rows(candidates: Candidates) -> list[Row]:
    return [{"file": printable(path), **_known(runs, candidates)} for path, runs in candidates.files.items()]


def _in(candidates: Candidates) -> str:
    """Return which runs a title speaks of, when it is not only the present one."""
    return f", in this run and {counted(len(candidates.runs), 'saved one')}" if candidates.runs else ""


def _known(runs: int, candidates: Candidates) -> Row:
    return {"known in": f"{runs} of {counted(1 + len(candidates.runs), 'run')}"} if candidates.runs else {}


def _text(sections: Iterable[Section], findings: Iterable[str]) -> Iterator[str]:
    for section in sections:
        yield section.title
        for rows in section.tables:
            yield from (f"  {line}" for line in text_table(rows))
            yield ""
    yield from (f"- {finding}" for finding in findings)


def _markdown(sections: Iterable[Section], findings: Iterable[str]) -> Iterator[str]:
    for section in sections:
        yield f"## {escaped(section.title)}"
        for rows in section.tables:
            yield from ("", *markdown_table(rows))
        yield ""
    yield from (f"- {escaped(finding)}" for finding in findings)


def _row(directory: str, totals: Totals, branch: bool) -> Row:
    return {
        "directory": printable(directory),
        **counts(totals, branch),
        "never imported": str(totals.never_imported),
        "unknown": totals.unknowns,
    }


def _as_json(results: Results, candidates: Candidates) -> dict[str, Any]:
    combined = results.combined
    services = {}
    for name, result in combined.services.items():
        known = asdict(result)
        known["processes"] |= {count: getattr(result.processes, count) for count in PROCESS_COUNTS}
        known["processes"]["refusals"] = refusals_of(result.processes)
        known["files"] = {path: _file_as_json(results, name, path) for path in result.files if path in results.files}
        known["totals"] = _totals_as_json(results.of_service(name))
        known["phases"] = results.phases(name)._asdict() | {"only": results.only(name)}
        known["directories"] = {
            directory: _totals_as_json(totals) for directory, totals in results.of_directories(name).items()
        }
        services[name] = known
    return {
        "version": 1,
        "totals": _totals_as_json(results.total()),
        "services": services,
        "never_imported": results.never_imported(),
        "never_executed": [_function_as_json(path, function) for path, function in results.never_executed()],
        "dead_code": {
            "runs": list(candidates.runs),
            "files": [{"file": path, "runs": runs} for path, runs in candidates.files.items()],
            "functions": [
                _function_as_json(found.path, found.function) | {"runs": found.runs} for found in candidates.functions
            ],
            "notes": list(candidates.notes),
        },
        "unknown": {**combined.unknown, **results.unparsed},
        "findings": [finding.sentence for finding in results.findings],
    }


def _function_as_json(path: str, function: Function) -> dict[str, Any]:
    statements = sorted(function.statements)
    return {"file": path, "function": function.name, "line": function.start, "statements": statements}


def _file_as_json(results: Results, service: str, path: str) -> dict[str, list[int]]:
    lines = results.files[path]
    executed = lines.by_service.get(service, frozenset())
    statements = results.combined.services[service].statements(path, lines.statements)
    return {"executed": sorted(executed), "missed": sorted(statements - executed)}


def _totals_as_json(totals: Totals) -> dict[str, int]:
    return asdict(totals) | {"missed": totals.missed}
