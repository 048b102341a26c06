"""A row for each process of a service."""

import time

from ..recorded.processes import Processes
from ..text import Row, first_of, printable

# Rows of complete processes that the tables show; --json has all.
SHOWN_PROCESSES = 20


def process_rows(processes: Processes) -> list[Row]:
    """Return the processes, those of which something is not known first; of the others no more than fit on a screen."""
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
    return first_of(rows, len(processes.silent) + unknown + SHOWN_PROCESSES)


def _process_row(started: float, place: str, pid: int, program: str, lines: str, state: str) -> Row:
    return {
        "process": printable(program),
        "in": printable(place),
        "pid": str(pid or ""),
        "since": time.strftime("%H:%M:%S", time.localtime(started)),
        "lines": lines,
        "state": state,
    }
