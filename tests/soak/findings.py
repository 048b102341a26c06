"""What a server's time under the spy has shown: what was lost or invented, and what grew."""

import os
import time
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from signal import SIGKILL

from application import URLS, Line, lines_of, lines_of_hooks
from server import MOMENTS, PROCESSES
from traffic import Traffic

from coverage_tasks.recorded.journals import read_journals, words

UNFLUSHED = 0.25  # seconds before a SIGKILL: the tracer flushes every 0.1 s, when the machine lets it
LONGEST_PATH = 250  # bytes of an application's file's name
MEMORY = 512  # KiB by which a process may grow more than its twin
AGES = ((10.0, "below 10 s"), (60.0, "below 60 s"), (float("inf"), "above"))


@dataclass
class Process:
    """One measured process, out of its journals. Times are seconds since the epoch."""

    pid: int
    started: float
    engine: str
    ended: float = 0.0
    lines: set[Line] = field(default_factory=set)
    size: int = 0  # bytes of its journals
    killed: float = 0.0  # when it was sent a SIGKILL, 0.0 when it was not


@dataclass
class Findings:
    """What is told of one server: figures by their names, and a sentence for all that must not be."""

    figures: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def expect(self, holds: bool, sentence: str) -> None:
        """Note a failure unless something holds."""
        if not holds:
            self.failures.append(sentence)


def findings(traffic: Traffic, twin: Traffic) -> Findings:
    """Judge a measured server by what it has left, and by its twin without the spy."""
    found = Findings()
    judge_service(found, traffic, twin)
    processes = read_processes(found, traffic)
    judge_census(found, traffic, processes)
    judge_union(found, traffic, processes)
    judge_each(found, traffic, processes)
    judge_sizes(found, processes)
    judge_growth(found, traffic, twin)
    return found


def judge_service(found: Findings, traffic: Traffic, twin: Traffic) -> None:
    """Whether the application served as it does without the spy."""
    server, counts = traffic.server, traffic.counts
    signals = [number.name for _, number, _ in traffic.killed]
    found.figures |= {
        "requests answered": f"{counts['answered']:,} ({twin.counts['answered']:,})",
        "requests lost with a killed worker": f"{counts['lost']} ({twin.counts['lost']})",
        "workers sent SIGKILL, SIGTERM": f"{signals.count('SIGKILL')}, {signals.count('SIGTERM')}",
        "CPU seconds": f"{server.usage:.0f} ({twin.server.usage:.0f})",
        "tracebacks in gunicorn's log": f"{server.tracebacks} ({twin.server.tracebacks})",
    }
    found.expect(not counts["wrong"], f"{counts['wrong']} answers were wrong")
    found.expect(not counts["hung"], f"{counts['hung']} requests were not answered in time")
    found.expect(server.code == twin.server.code, f"gunicorn ended with {server.code}, its twin {twin.server.code}")
    found.expect(server.complete, "workers were not replaced")
    found.expect(server.tracebacks <= twin.server.tracebacks, "there are tracebacks in gunicorn's log")


def read_processes(found: Findings, traffic: Traffic) -> list[Process]:
    """Read the journals; return the processes in the order of their starts."""
    server, begin = traffic.server, time.perf_counter()
    journals, errors = read_journals(server.data)
    seconds = time.perf_counter() - begin
    by_token: dict[str, Process] = {}
    for journal in journals:
        receipt = journal.receipt
        process = by_token.setdefault(receipt.process, Process(receipt.pid, receipt.started, receipt.engine))
        process.size += journal.path.stat().st_size
        for name, lines in journal.lines.items():
            process.lines |= {(os.path.relpath(name, server.work), line) for line in lines}
        found.expect(not journal.unreadable, f"{journal.unreadable} words of {journal.path} mean nothing")
    damage = [str(error) for error in errors if error.kind != "unborn"]
    found.failures += damage
    found.figures |= {
        "journals, of them unreadable": f"{len(journals) + len(errors)}, {len(damage)}",
        "reading them": f"{seconds:.1f} s ({seconds / max(len(journals), 1) * 1000:.1f} ms each)",
    }
    return sorted(by_token.values(), key=lambda process: process.started)


def judge_census(found: Findings, traffic: Traffic, processes: list[Process]) -> None:
    """Whether every process that ran has left a receipt, and nobody else; note how processes ended."""
    events = traffic.server.events()
    for event in events:
        if event.kind == "exit" and (process := at(processes, event.pid, event.time)):
            process.ended = event.time
    told = set()
    for pid, number, when in traffic.killed:
        process = at(processes, pid, when)
        told.add(id(process))
        if number == SIGKILL and process:
            process.killed = when
    forked, born = (sum(event.kind == kind for event in events) for kind in ("fork", "born"))
    found.figures |= {
        "workers recycled": f"{traffic.server.ended - len(told)}",
        "processes started, with a receipt": f"{forked + 1}, {len(processes)}",
        "killed before their first line": f"{forked - born}",
    }
    without = [traffic.server.master.pid] if not at(processes, traffic.server.master.pid, time.time()) else []
    without += [event.pid for event in events if event.kind == "born" and not at(processes, event.pid, event.time)]
    found.expect(not without, f"{len(without)} processes have run and left no receipt: {without[:5]}")
    found.expect(
        born < len(processes) <= forked + 1, f"{len(processes)} receipts of {forked + 1} processes, of which {born} ran"
    )


def at(processes: list[Process], pid: int, when: float) -> Process | None:
    """Return the process that had this pid at a time; pids come again. `processes` are in the order of their starts."""
    before = processes[: bisect_right(processes, when, key=lambda process: process.started)]
    return next((process for process in reversed(before) if process.pid == pid), None)


def judge_union(found: Findings, traffic: Traffic, processes: list[Process]) -> None:
    """Whether all processes together have recorded the lines that ran and no others."""
    answered = {url for urls in traffic.answers.values() for url in urls}
    ran = lines_of_hooks().union(*map(lines_of, answered))
    may_have_run = ran.union(*(lines_of(url) for url, _, _ in traffic.lost))
    recorded = set[Line]().union(*(process.lines for process in processes))
    missing, invented = sorted(ran - recorded), sorted(recorded - may_have_run)
    found.figures |= {
        "URLs asked for": f"{len(answered)} of {len(URLS)}",
        "lines that ran": f"{len(ran):,}",
        "of them missing": str(len(missing)),
        "invented": str(len(invented)),
    }
    found.expect(not missing, f"lines that ran are missing: {missing[:5]}")
    found.expect(not invented, f"lines are recorded that did not run: {invented[:5]}")


def judge_each(found: Findings, traffic: Traffic, processes: list[Process]) -> None:
    """Whether each process has recorded what its own answers prove to have run, and nothing that others ran."""
    needed: dict[int, dict[Line, float]] = defaultdict(dict)  # id of the process -> line -> when it had run
    strangers = 0
    for (pid, born), urls in traffic.answers.items():
        process = at(processes, pid, born)
        strangers += process is None
        for url, when in urls.items():
            for line in lines_of(url):
                first = needed[id(process)]
                first[line] = min(first.get(line, when), when)
    missing, unflushed, invented = [], [], []
    for process in processes:
        first = needed[id(process)]
        for line in first.keys() - process.lines:
            before = process.killed - first[line]
            if process.engine == "tracer" and process.killed and before < UNFLUSHED:
                unflushed.append(before)
            else:
                missing.append((process.pid, *line))
        unanswered = [
            lines_of(url)
            for url, asked, given_up in traffic.lost
            if process.started < given_up and (not process.ended or asked < process.ended)
        ]
        functions = {line for line in process.lines if line[0].startswith("part")}
        invented += [(process.pid, *line) for line in functions - first.keys() - set().union(*unanswered)]
    found.figures |= {
        "lines of single processes that ran": f"{sum(map(len, needed.values())):,}",
        "missing there": str(len(missing)),
        "not flushed before a SIGKILL": f"{len(unflushed)}, up to {max(unflushed):.2f} s" if unflushed else "0",
        "invented there": str(len(invented)),
    }
    found.expect(not strangers, f"{strangers} workers have answered and left no receipt")
    found.expect(not missing, f"processes have lost lines (pid, file, line): {missing[:5]}")
    found.expect(not invented, f"processes have lines that others ran (pid, file, line): {invented[:5]}")


def judge_sizes(found: Findings, processes: list[Process]) -> None:
    """Whether the journals of a process stay within what the application's lines need, however long it lives."""
    end = max((process.ended for process in processes), default=0.0)
    lasted = [(process.ended or end) - process.started for process in processes]
    shortest = 0.0
    for limit, name in AGES:
        sizes = [p.size / 1024 for p, age in zip(processes, lasted, strict=True) if shortest <= age < limit]
        text = f"{sum(sizes) / len(sizes):.0f}, {max(sizes):.0f} ({len(sizes)})" if sizes else "-"
        found.figures[f"KiB of journals by age of the process, {name}: mean, max (processes)"] = text
        shortest = limit
    lines = set[Line]().union(*(process.lines for process in processes))
    limit = room(lines) / 1024
    largest = max((process.size for process in processes), default=0) / 1024
    found.expect(largest <= limit, f"a process has journals of {largest:.0f} KiB, for its lines {limit:.0f} are enough")


def room(lines: set[Line]) -> int:
    """Return the bytes of journals that a process may take which runs these lines, and some of them twice at a time."""
    files = len({name for name, _ in lines}) * (words.RECORD_HEAD + LONGEST_PATH) // 5
    left, total, size = len(lines) * 1.1, 0, words.FIRST_SIZE
    while True:
        total += size + 1024  # the receipt
        left += files  # anew in every journal
        if left <= size / 8 * 3 / 4:
            return total
        left -= size / 8
        size = min(size * 4, words.LAST_SIZE)


def judge_growth(found: Findings, traffic: Traffic, twin: Traffic) -> None:
    """Whether the processes that lived from start to end take more at the end than when they were warm."""
    server, other = traffic.server, twin.server
    for process in PROCESSES:
        ours, theirs = server.readings[process], other.readings[process]
        if len(ours) < len(MOMENTS) or len(theirs) < len(MOMENTS):
            found.failures.append(f"the {process}, or its twin, did not live from {' to '.join(MOMENTS)}")
            continue
        for what, unit in (("descriptors", 1), ("memory", 1024)):
            texts = [
                " ".join(f"{getattr(reading[moment], what) / unit:.{int(unit > 1)}f}" for moment in MOMENTS)
                for reading in (ours, theirs)
            ]
            found.figures[f"{process}: {what}{' in MiB' if unit > 1 else ''}"] = f"{texts[0]} ({texts[1]})"
        opened = ours["end"].descriptors - ours["warm"].descriptors
        found.expect(not opened, f"the {process} has {opened:+} descriptors since it was warm")
        more = ours["end"].descriptors - theirs["end"].descriptors
        found.expect(not more, f"the {process} has {more:+} descriptors for its twin's")
        grown, usual = (reading["end"].memory - reading["warm"].memory for reading in (ours, theirs))
        found.expect(grown - max(usual, 0) <= MEMORY, f"the {process} grew by {grown} KiB, its twin by {usual}")
    found.figures["answers of the first worker"] = f"{traffic.served[server.first]:,} ({twin.served[other.first]:,})"
