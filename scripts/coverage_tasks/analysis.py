"""What ran, what did not, what nobody imported, and what is unknown and why: per service and per directory."""

import json
import time
from argparse import Namespace
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from .candidates import Candidates, find_candidates
from .changes import find_changes
from .lines import Function
from .processes import Processes
from .project import Project, TaskError, counted, printable
from .results import Results, Totals, counts, read_results
from .tables import Row, escaped, fitting, markdown_table, text_table

# Rows of complete processes that the tables show; --json has all.
SHOWN_PROCESSES = 20
SHOWN_GAPS = 15
PROCESS_COUNTS = ("all", "without_lines", "partly_measured", "not_measured", "end_unknown", "refusals")


def analyze(project: Project, args: Namespace) -> None:
    """Print the analysis: tables, or JSON (`args.json`), or Markdown (`args.markdown`).

    Of the services `args.service` only, where there are any, and of files that match the glob `args.path`. What is a
    candidate for dead code also depends on the last `args.runs` saved runs. Raises TaskError when there is no such
    service.
    """
    results = read_results(project)
    for name in args.service:
        if name not in results.combined.services:
            known = ", ".join(results.combined.services)
            raise TaskError(f"there is no service {name!r} in what was combined: name one of {known}")
    results = results.narrowed(args.service, args.path)
    candidates = find_candidates(project, results, args.service, args.runs)
    findings = [*results.findings, *candidates.notes]
    if args.json:
        print(json.dumps(_as_json(results, candidates), indent=1))
    elif args.markdown:
        print("\n".join(fitting(_markdown(_sections(project, results, candidates), findings))))
    else:
        for section in _sections(project, results, candidates):
            print(section.title)
            for rows in section.tables:
                print(*(f"  {line}" for line in text_table(rows)), "", sep="\n")
        for finding in findings:
            print(f"- {finding}")


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
            yield Section(title, [_first(rows, SHOWN_GAPS)])


def _first(rows: list[Row], count: int) -> list[Row]:
    """As many rows, and one that says how many more there are."""
    if len(rows) <= count:
        return rows
    more = dict.fromkeys(rows[0], "")
    return [*rows[:count], more | {next(iter(more)): f"and {len(rows) - count} more"}]


def _phase_rows(results: Results) -> list[Row]:
    """Whether traffic executed again what start-up did is not known: a line is recorded once in a process."""
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
    """Which runs a title speaks of, when it is not only the present one."""
    return f", in this run and {counted(len(candidates.runs), 'saved one')}" if candidates.runs else ""


def _known(runs: int, candidates: Candidates) -> Row:
    return {"known in": f"{runs} of {counted(1 + len(candidates.runs), 'run')}"} if candidates.runs else {}


def _markdown(sections: Iterable[Section], findings: Iterable[str]) -> Iterator[str]:
    for section in sections:
        yield f"## {escaped(section.title)}"
        for rows in section.tables:
            yield from ("", *markdown_table(rows))
        yield ""
    yield from (f"- {escaped(finding)}" for finding in findings)


def process_rows(processes: Processes) -> list[Row]:
    """The processes, those of which something is not known first; of the others no more than fit on a screen."""
    rows = [
        _process_row(silent.started, silent.place, silent.pid, silent.command, "", "no receipt")
        for silent in processes.silent
    ]
    known = sorted(processes.known, key=lambda process: process.state == "complete")
    unknown = sum(process.state != "complete" for process in known)
    for process in known:
        program = f"Python {process.python}, {process.engine}"
        rows.append(
            _process_row(process.started, process.host, process.pid, program, str(process.lines), process.state)
        )
    return _first(rows, len(processes.silent) + unknown + SHOWN_PROCESSES)


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
        "unknown": totals.unknowns,
    }


def _as_json(results: Results, candidates: Candidates) -> dict[str, Any]:
    combined = results.combined
    services = {}
    for name, result in combined.services.items():
        known = asdict(result)
        known["processes"] |= {count: getattr(result.processes, count) for count in PROCESS_COUNTS}
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
        "findings": results.findings,
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
