"""Runs tests of CPython's own library under the spy and under coverage.py, and lists every line only one recorded.

The whole standard library is the source. Per interpreter and module it prints how many lines both recorded, and how
many only one did, by the rule that explains them. A line that no rule explains counts against us, is listed, and makes
the exit code 1.

The rules:

early    the line ran while coverage.py started, before it measured: it imports much of the library itself. Which lines
         those are is measured, by running its start under the spy.
presence coverage.py's being there made the line run, or not: a module that it has imported is in another state, a
         cache that it has filled is hit. Which lines those are is measured, by running the test under the spy with
         coverage.py imported and not started, and nothing at all under coverage.py.
thread   `threading` itself gives coverage.py's trace function to a new thread, after some lines of its own.
forked   the line ran in a forked child that ended with os._exit, where coverage.py saves nothing.
late     the line ran after the last atexit function, where coverage.py no longer measures: in callbacks of weak
         references, finalisers. Which lines those are is measured, by copying the journals at that moment.
invented coverage.py recorded a line that holds no code: after a RecursionError its tracer takes lines of one file for
         those of another, and it takes a directory for a file. The spy's own would count against us.
chance   the line does not run every time: a further run under the same tool did not record it, or one under the other
         tool did. Up to five further runs are made.
shifted  the same RecursionError, and a line that holds code in both files. Its cause is the lock that coverage.py's
         tracer asks for when a function begins, with no call left: measured by running the test under the coverage.py
         that the spy has its tracer from, without that lock, where it agrees with the spy.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from coverage import CoverageData
from machine import INTERPRETERS, SPY, number
from reference import coverage_environment

from coverage_tasks.injection.payload import VERSIONS, fill_payload
from coverage_tasks.recorded.journals import read_journals
from coverage_tasks.sources.images import Interpreter

MODULES = (  # noqa: SIM905 - nobody reads 28 quoted words
    "test_argparse test_ast test_bisect test_calendar test_cmd test_colorsys test_configparser test_contextlib "
    "test_copy test_csv test_dataclasses test_difflib test_enum test_fnmatch test_fractions test_heapq test_json "
    "test_numbers test_pprint test_queue test_reprlib test_sched test_shlex test_statistics test_string test_textwrap "
    "test_tokenize test_uuid"
).split()

MORE_RUNS = 4  # after the second, for lines that depend on a race between two threads

# The columns and their widths.
COLUMNS = {
    "both": 8,
    "early": 8,
    "presence": 10,
    "thread": 8,
    "forked": 8,
    "late": 6,
    "invented": 10,
    "chance": 8,
    "shifted": 9,
    "unexplained": 13,
}

DESCRIBE = (
    "import os; from importlib.machinery import EXTENSION_SUFFIXES as s; print(s[0], os.path.dirname(os.__file__))"
)
TEST = """
import atexit, os, sys, time, unittest

def copy():
    time.sleep(0.3)  # the tracer writes ten times a second
    for name in os.listdir(os.environ["JOURNALS"]):
        with open(os.path.join(os.environ["JOURNALS"], name), "rb") as journal:
            with open(os.path.join(os.environ["COPIES"], name), "wb") as file:
                file.write(journal.read())

atexit.register(copy)
unittest.main(module=None, argv=["unittest", "-q", sys.argv[1]])
"""
CODE = """
import dis, sys

def walk(code):
    yield from (line for _, line in dis.findlinestarts(code) if line)
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from walk(constant)

with open(sys.argv[1], "rb") as file:
    print(*walk(compile(file.read(), sys.argv[1], "exec")))
"""
# The lock is there since 7.5.4.
UNLOCKED = """
import coverage.collector
coverage.collector.Collector.lock_data = coverage.collector.Collector.unlock_data = tuple
coverage.process_startup()
"""
BESIDE = "import sys; sys.path.append({site!r}); import coverage; c = coverage.Coverage(config_file={config!r}); "

Pair = tuple[str, int]  # file, line number


class SpyRun(NamedTuple):
    """What the spy recorded: all lines, those after the last atexit function, and those of forked children only."""

    code: int
    lines: set[Pair]
    late: set[Pair]
    forked: set[Pair]


class Python:
    """One interpreter, and how its standard library is measured."""

    def __init__(self, version: str, directory: Path) -> None:
        """Get coverage.py and the payload, and find out what runs while coverage.py starts."""
        self.path, self.directory = INTERPRETERS[version], directory
        self.code: dict[str, set[int]] = {}  # file -> lines that hold code
        suffix, library = subprocess.check_output([self.path, "-c", DESCRIBE], text=True).split()
        self.library = Path(library)
        fill_payload([Interpreter(self.path, version, suffix)], SPY / "payload")
        reference = coverage_environment(directory, self.path, self.library)
        if reference is None:
            sys.exit(f"agreement: pip gets no coverage.py for Python {version}: check the package index")
        self.reference = reference
        own = f"coverage=={VERSIONS[version.replace('.', '')]}"
        self.unlocked = coverage_environment(directory / "unlocked", self.path, self.library, own, UNLOCKED)
        self.beside = BESIDE.format(site=reference["PYTHONPATH"], config=reference["COVERAGE_PROCESS_START"])
        self.early = self.under_spy("-c", self.beside + "c.start(); import os; os._exit(0)").lines
        _, self.presence = self.under_coverage(reference, "-c", "pass")

    def run(self, environment: dict[str, str], *arguments: str) -> int:
        """Run the interpreter in a directory of its own and return its exit code."""
        with tempfile.TemporaryDirectory() as work:
            plain = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "HOME": work, "TMPDIR": work}
            command = [self.path, *arguments]
            return subprocess.run(command, cwd=work, env={**environment, **plain}, capture_output=True).returncode

    def holds_code(self, pair: Pair) -> bool:
        """Whether there is code on a line, as this interpreter compiles the file."""
        name, line = pair
        if name not in self.code:
            self.code[name] = set()
            if Path(name).is_file():  # coverage.py looks a name like "test" up on sys.path, and finds a directory
                answer = subprocess.run([self.path, "-c", CODE, name], capture_output=True, text=True, check=True)
                self.code[name] = set(map(int, answer.stdout.split()))
        return line in self.code[name]

    def under_spy(self, *arguments: str) -> SpyRun:
        """Run under the spy."""
        with tempfile.TemporaryDirectory() as data, tempfile.TemporaryDirectory() as copies:
            environment = {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(SPY),
                "COVERAGE_ENABLE": "true",
                "COVERAGE_FILE": f"{data}/.coverage.agreement",
                "COVERAGE_SOURCE": str(self.library),
                "JOURNALS": data,
                "COPIES": copies,
            }
            code = self.run(environment, *arguments)
            at_end, before_end = recorded(Path(data)), recorded(Path(copies))
            return SpyRun(code, at_end, at_end - before_end, at_end - recorded(Path(data), forked=False))

    def under_coverage(self, environment: dict[str, str], *arguments: str) -> tuple[int, set[Pair]]:
        """Run under coverage.py, `reference` or `unlocked`; return the exit code and the lines recorded."""
        with tempfile.TemporaryDirectory() as nothing:
            code = self.run({**environment, "JOURNALS": nothing, "COPIES": nothing}, *arguments)
        found: set[Pair] = set()
        for file in Path(environment["COVERAGE_PROCESS_START"]).parent.glob(".coverage.*"):
            data = CoverageData(str(file))
            data.read()
            found |= {(name, line) for name in data.measured_files() for line in data.lines(name) or ()}
            data.close()
            file.unlink()
        return code, found


def recorded(directory: Path, forked: bool = True) -> set[Pair]:
    """Return what the journals of a directory hold, with or without those of forked children."""
    journals, problems = read_journals(directory)
    assert not problems, problems
    return {
        (name, line)
        for journal in journals
        if forked or not journal.receipt.parent
        for name, lines in journal.lines.items()
        for line in lines
    }


def compare(python: Python, module: str) -> tuple[dict[str, int], list[str]]:
    """Return how many lines both recorded and how many only one did, by rule; and those without a rule, in words."""
    test = ("-c", TEST, f"test.{module}")
    run = python.under_spy(*test)
    spy = run.lines
    reference_code, reference = python.under_coverage(python.reference, *test)
    assert run.code == reference_code, f"{module} ends with {run.code}, under coverage.py {reference_code}"
    threading = str(python.library / "threading.py")
    beside = python.under_spy("-c", python.beside + TEST, test[-1]).lines
    rules = {
        "early": lambda pair: pair in spy and pair in python.early,
        "presence": lambda pair: (
            (pair in python.presence or pair in beside) if pair in reference else pair not in beside
        ),
        "thread": lambda pair: pair in spy and pair[0] == threading,
        "forked": lambda pair: pair in run.forked,
        "late": lambda pair: pair in run.late,
        "invented": lambda pair: pair in reference and not python.holds_code(pair),
    }
    counts = {"both": len(spy & reference)}
    left = spy ^ reference
    for name, explains in rules.items():
        explained = set(filter(explains, left))
        counts[name] = len(explained)
        left -= explained

    def steady(pairs: set[Pair]) -> set[Pair]:
        spy_again = python.under_spy(*test).lines
        _, reference_again = python.under_coverage(python.reference, *test)
        return {pair for pair in pairs if (pair in spy) == (pair in spy_again) != (pair in reference_again)}

    def with_and_without_lock(pairs: set[Pair]) -> set[Pair]:
        _, unlocked = python.under_coverage(python.unlocked, *test)
        return {pair for pair in pairs if (pair in spy) != (pair in unlocked)}

    again = ("chance", steady)
    counts |= {"chance": 0, "shifted": 0}
    for name, keep in (again, ("shifted", with_and_without_lock), *[again] * MORE_RUNS):
        kept = keep(left) if left else left
        counts[name] += len(left - kept)
        left = kept
    counts["unexplained"] = len(left)
    return counts, [
        f"{name}:{line} (only {'spy' if (name, line) in spy else 'coverage.py'})" for name, line in sorted(left)
    ]


def row(version: str, module: str, counts: Mapping[str, int]) -> str:
    """Return one line of the table."""
    return f"{version:<8}{module:<18}" + "".join(f"{counts[name]:>{width}}" for name, width in COLUMNS.items())


def main() -> int:
    """Compare on the interpreters asked for; return 1 when a line is left without an explanation."""
    measured = [version for version in INTERPRETERS if number(version) >= (3, 8)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=f"of {', '.join(measured)}; default: all")
    parser.add_argument("--modules", nargs="+", default=MODULES, metavar="MODULE", help="of the package `test`")
    args = parser.parse_args()
    print(f"{'CPython':<8}{'module':<18}" + "".join(f"{name:>{width}}" for name, width in COLUMNS.items()))
    bad = 0
    for version in args.versions or measured:
        totals: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as directory:
            python = Python(version, Path(directory).resolve())
            for module in args.modules:
                tests = python.library / "test" / module
                if tests.is_dir() or tests.with_suffix(".py").is_file():
                    counts, unexplained = compare(python, module)
                    totals.update(counts)
                    print(row(version, module, counts), flush=True)
                    print(*(f"    {line}\n" for line in unexplained), sep="", end="", flush=True)
        print(row(version, "all", totals), flush=True)
        bad += totals["unexplained"]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
