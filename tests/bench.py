"""Prints what measuring costs: no spy, a spy that is off, the spy, and coverage.py, side by side in one run.

The columns of a row are measured in turns, so that whatever else the machine does falls on all of them. Times are CPU
times of the process, start-up in milliseconds, work as a ratio to the same interpreter without anything.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from machine import INTERPRETERS, SPY, number
from reference import coverage_environment

from coverage_tasks.injection.payload import fill_payload
from coverage_tasks.sources.images import Interpreter

WORK = """
def collatz(n):
    steps = 0
    while n != 1:
        if n % 2:
            n = 3 * n + 1
        else:
            n //= 2
        steps += 1
    return steps


def words(n):
    found = {}
    for i in range(n):
        key = str(i % 97)
        found[key] = found.get(key, 0) + len(key)
    return sum(found.values())


print(max(collatz(n) for n in range(1, 12_000)), words(200_000))
"""

COLUMNS = ("none", "off", "spy", "branch", "coverage.py")


def environments(directory: Path) -> dict[str, dict[str, str]]:
    """Return the environment of each column but coverage.py's."""
    plain = {"PATH": os.environ["PATH"]}
    off = {**plain, "PYTHONPATH": str(SPY), "COVERAGE_FILE": f"{directory}/.coverage.bench"}
    spy = {**off, "COVERAGE_ENABLE": "true", "COVERAGE_SOURCE": str(directory)}
    return {"none": plain, "off": off, "spy": spy, "branch": {**spy, "COVERAGE_BRANCH": "true"}}


def cpu_seconds(command: list[str], directory: Path, environment: dict[str, str]) -> float:
    """Run a command and return the CPU time of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def side_by_side(
    command: list[str],
    directory: Path,
    columns: dict[str, dict[str, str]],
    runs: int,
    summary: Callable[[list[float]], float],
) -> dict[str, float]:
    """Return the summary of `runs` CPU times for each column, measured in turns after one run that does not count."""
    times: dict[str, list[float]] = {name: [] for name in columns}
    for turn in range(runs + 1):
        for name, environment in columns.items():
            seconds = cpu_seconds(command, directory, environment)
            if turn:
                times[name].append(seconds)
    return {name: summary(seconds) for name, seconds in times.items()}


def row(label: str, cells: dict[str, str]) -> str:
    """Return one line of the table."""
    return f"{label:<18}" + "".join(f"{cells.get(name, '-'):>16}" for name in COLUMNS)


def measure(version: str, runs: int) -> None:
    """Print the two rows of one interpreter."""
    python = INTERPRETERS[version]
    suffix = [python, "-c", "from importlib.machinery import EXTENSION_SUFFIXES as s; print(s[0])"]
    found = Interpreter(python, version, subprocess.check_output(suffix, text=True).strip())
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name).resolve()
        (directory / "work.py").write_text(WORK)
        fill_payload([found], SPY / "payload")
        subprocess.run([python, "-m", "compileall", "-q", str(SPY)], check=True)
        columns = environments(directory)
        coverage = coverage_environment(directory, python, directory)
        if coverage:
            columns["coverage.py"] = coverage
        start = side_by_side([python, "-c", "pass"], directory, columns, runs, statistics.median)
        work = side_by_side([python, "work.py"], directory, columns, 5, min)
    base = start["none"]
    print(
        row(
            f"{version} start-up",
            {
                name: f"{seconds * 1000:.1f} ms" + (f" {(seconds - base) * 1000:+.1f}" if name != "none" else "")
                for name, seconds in start.items()
            },
        )
    )
    print(
        row(f"{version} work", {name: f"x{seconds / work['none']:.2f}" for name, seconds in work.items()}), flush=True
    )


def main() -> None:
    """Measure the interpreters that are asked for, by default all that the spy measures."""
    measured = [version for version in INTERPRETERS if number(version) >= (3, 8)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=f"of {', '.join(measured)}; default: all")
    parser.add_argument("--runs", type=int, default=20, help="starts of each interpreter (default: 20)")
    args = parser.parse_args()
    unknown = [version for version in args.versions if version not in measured]
    if unknown:
        parser.error(f"no interpreter for {unknown[0]} here; there are {', '.join(measured)}")
    print(row("CPython", {name: name for name in COLUMNS}))
    for version in args.versions or measured:
        measure(version, args.runs)


if __name__ == "__main__":
    sys.exit(main())
