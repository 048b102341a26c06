"""What the reader and the reports have to hold, whatever the bytes are."""

import io
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import fields
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NoReturn
from unittest.mock import patch

from coverage import CoverageData
from fuzz.model import Claims, claims_of

from coverage_tasks import cli
from coverage_tasks.places import state_directory
from coverage_tasks.recorded import journals

SLOW, HANG = 1.0, 10  # seconds of CPU that a file may cost; seconds after which it is stopped
TOOL = 3  # for sys.monitoring; coverage.py and debuggers take others
RUNTIME = {"COVERAGE_SPY_RUNTIME": "procfile"}


class Wrong(Exception):
    """What the reader did wrong; `what` leaves out the details, so that two of a kind can be told."""

    def __init__(self, what: str, detail: object = "") -> None:
        super().__init__(f"{what}: {detail!s:.900}")
        self.what = what


class Hang(BaseException):
    """Raised in what takes too long."""


@contextmanager
def stopped_after(seconds: float) -> Iterator[None]:
    """Raises Hang when the time is over."""

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise Hang

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read(path: Path, early: int = 0) -> Claims | str:
    """What the reader says of a file, in the model's words. Raises Wrong."""
    begin = time.process_time()
    try:
        with stopped_after(HANG):
            journal = journals.read_journal(path, early)
            journals.count_words(path)
    except journals.JournalError as error:
        if str(path) not in str(error):
            raise Wrong("names no file", error) from None
        return error.kind
    except (Exception, Hang) as error:
        raise Wrong(f"raises {type(error).__name__}", traceback.format_exc()[-900:]) from None
    if time.process_time() - begin > SLOW:
        raise Wrong("is slow", time.process_time() - begin)
    receipt = {field.name: getattr(journal.receipt, field.name) for field in fields(journal.receipt)}
    return Claims(
        receipt | {"refusals": [(refusal.code, list(refusal.evidence)) for refusal in receipt["refusals"]]},
        {name: digest and tuple(digest) for name, digest in journal.files.items()},
        {(name, line) for name, lines in journal.lines.items() for line in lines},
        {(name, *arc) for name, arcs in journal.arcs.items() for arc in arcs},
        journal.ended,
        not journal.last,
        journals.ORPHANED in receipt["refusals"],
        journals.LOST in receipt["refusals"],
        journals.RIVAL in receipt["refusals"],
        journal.unreadable,
        {(name, line) for name, lines in journal.early.items() for line in lines},
    )


def check(path: Path, content: bytes, cut: float) -> object:
    """Read a file with this content, and its beginning up to the part `cut` of its length.

    Returns what sort of file it is. Raises Wrong.
    """
    path.write_bytes(content)
    early = int(cut * len(content)) // 8
    found, expected = read(path, early), claims_of(content, early)
    if isinstance(found, str) or isinstance(expected, str):
        if found != expected:
            raise Wrong("reads what is none, or refuses what is one", f"{found}\nand the model\n{expected}")
        return found
    if expected.orphaned:
        expected.receipt["refusals"].append(("orphaned", []))
    if expected.lost:
        expected.receipt["refusals"].append(("lost", []))
    if expected.rival:
        expected.receipt["refusals"].append(("rival", []))
    for name, one, other in zip(Claims._fields, found, expected, strict=True):
        if one != other:
            raise Wrong(f"says something else in {name}", f"{one!s:.300}\nand the model\n{other!s:.300}")
    path.write_bytes(content[: int(cut * len(content))])
    before = read(path)
    if not isinstance(before, str):
        gone = (before.lines - found.lines, before.arcs - found.arcs, before.files.keys() - found.files.keys())
        if any(gone):
            raise Wrong("forgets what stands before the damage", gone)
    sizes = (min(len(found.files), 3), min(found.unreadable, 2), bool(found.lines), bool(found.arcs))
    flags = (found.ended, found.empty, found.orphaned, found.lost, found.rival, found.receipt["branch"])
    return *sizes, *flags, found.receipt["engine"] == "none"


def report(root: Path, contents: Sequence[bytes]) -> None:
    """Let the tasks report on a directory of files; without any they would start something. Raises Wrong."""
    if not contents:
        return
    data = state_directory(root)
    shutil.rmtree(data, ignore_errors=True)
    place = data / "journals" / "python"
    place.mkdir(parents=True)
    for name in (".coverage", "coverage.json", "coverage.md", "coverage.xml", "lcov.info"):
        (root / name).unlink(missing_ok=True)
    shutil.rmtree(root / "htmlcov", ignore_errors=True)
    claims, bad = [], []
    for index, content in enumerate(contents):
        path = place / f"{index:016x}.journal"
        path.write_bytes(content)
        found = claims_of(content)
        if not isinstance(found, str):
            claims.append(found)
        if found != "unborn" and (isinstance(found, str) or found.unreadable):
            bad.append(path.name)
    marks = {path.name: index for index, path in enumerate(place.iterdir())}
    (data / "marks.json").write_text(json.dumps({"version": 1, "startup": marks}))
    said = io.StringIO()
    quiet = redirect_stdout(io.StringIO()), redirect_stderr(said)
    try:
        with chdir(root), quiet[0], quiet[1], patch.dict(os.environ, RUNTIME), stopped_after(6 * HANG):
            code = cli.main(["coverage-report", "-q"])
    except (Exception, Hang, SystemExit) as error:
        raise Wrong(f"reports end in {type(error).__name__}", traceback.format_exc()[-900:]) from None
    named = [name for name in bad if name in said.getvalue()]
    others = sum(map(int, re.findall(r"so it is with (\d+) others", said.getvalue())))  # of whom it names two
    told = len(said.getvalue().splitlines()) + others
    if code != int(not claims) or (told != len(bad) if claims else bad and not named):
        raise Wrong("reports do not name the damage", f"exit {code}, bad {bad}\n{said.getvalue()}")
    if not claims:
        return
    covered = CoverageData(str(root / ".coverage"))
    covered.read()
    for path in covered.measured_files():
        name = str(root / path)
        claimed = {line for found in claims for file, line in found.touched if file == name}
        if set(covered.lines(path) or ()) - claimed:
            raise Wrong("reports claim what no journal does", path)
    covered.close()


@contextmanager
def watched() -> Iterator[tuple[set[object], set[int]]]:
    """Gives what is reached of the reader from here on, lines and branches, and the numbers of all its lines."""
    seen: set[object] = set()
    ways: dict[tuple[CodeType, int], set[int]] = defaultdict(set)
    codes = [
        f.__code__ for f in vars(journals).values() if isinstance(f, FunctionType) and f.__module__ == journals.__name__
    ]
    for code in codes:
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    lines = {line for code in codes for *_, line in code.co_lines() if line and line != code.co_firstlineno}
    monitoring: Any = getattr(sys, "monitoring", None)
    if not monitoring:
        yield seen, lines
        return

    def reach_line(_: CodeType, line: int) -> Any:
        seen.add(line)
        return monitoring.DISABLE

    def reach_branch(code: CodeType, offset: int, target: int) -> Any:
        seen.add((code, offset, target))
        ways[code, offset].add(target)
        return monitoring.DISABLE if len(ways[code, offset]) > 1 else None  # to disable one is to disable both

    events = monitoring.events
    monitoring.use_tool_id(TOOL, "fuzz")
    monitoring.register_callback(TOOL, events.LINE, reach_line)
    monitoring.register_callback(TOOL, events.BRANCH, reach_branch)
    for code in codes:
        monitoring.set_local_events(TOOL, code, events.LINE | events.BRANCH)
    try:
        yield seen, lines
    finally:
        for code in codes:
            monitoring.set_local_events(TOOL, code, 0)
        monitoring.free_tool_id(TOOL)
