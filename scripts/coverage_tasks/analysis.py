"""What ran, what did not, what nobody imported, and what is unknown and why: per service and per directory."""

import json
import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from .combine import printable
from .processes import Processes
from .project import Project
from .results import Results, Totals, counts, read_results
from .tables import Row, escaped, markdown_table, text_table

# Rows of complete processes that the tables show; --json has all.
SHOWN_PROCESSES = 20
PROCESS_COUNTS = ("all", "without_lines", "not_measured", "end_unknown", "refusals")


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
        for rows in (directories, process_rows(result.processes)):
            if rows:
                lines = markdown_table(rows) if args.markdown else ["  " + line for line in text_table(rows)]
                print(*([""] if args.markdown else []), *lines, "", sep="\n")
    for finding in results.findings:
        print(f"- {escaped(finding) if args.markdown else finding}")


def process_rows(processes: Processes) -> list[Row]:
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
    statements = results.combined.services[service].statements(path, lines.statements)
    return {"executed": sorted(executed), "missed": sorted(statements - executed)}


def _totals_as_json(totals: Totals) -> dict[str, int]:
    return asdict(totals) | {"missed": totals.missed}
