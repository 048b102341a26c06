"""The fault suite: each situation without a spy, with it, and with coverage.py; what was lost, and what was altered.

A situation passes when every line marked `# runs` is recorded and no line marked `# never` is, all data can be read,
and exit code, output, answers, stop time and what the application sees of itself equal those of the run without a spy.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from socket import socket
from types import ModuleType

from columns import Column, CoveragePy, Nothing, copy_spy
from containers import obtain_base
from machine import INTERPRETERS, ROOT, engine_answers, lacks_btrfs, number
from packages import install_programs, make_environment
from processes import Outcome, Stage, adopt_orphans
from situation import HERE, Situation, load_all
from verdict import Verdict, judge

DOCUMENT = ROOT / "docs" / "faults.md"
PORTRAIT = Path(__file__).with_name("portrait.py")
OLDEST = (3, 8)
WANTED = ("3.8", "3.11", "3.12")  # and the newest there is


@dataclass(frozen=True)
class Trial:
    """One situation on one Python."""

    situation: Situation
    version: str
    columns: tuple[Column, ...]


EXPLANATION = """# What happens when things go wrong

Written by `nox -s faults`, which runs each situation below (`tests/faults/situations`) three times: without measuring,
with coverage-spy, and with coverage.py configured as well as it can be (started by a .pth file, `parallel`, `sigterm`,
`concurrency`, and the patches `_exit`, `execv`, `fork` and `subprocess` where the version has them). What is written
in a cell:

| word | meaning |
| --- | --- |
| ok | every line that ran is recorded and no other, and the application is unaltered |
| lost | lines ran and are not recorded |
| invented | lines are recorded that did not run, or data cannot be read |
| altered | exit code, output, answers to requests, or the time it takes to stop (by more than 0.3 s) are others, or \
the whole takes more than twice the time and a second |
| seen | the application sees itself changed: signal handlers, `sys.path`, `os.environ`, threads, open descriptors, \
trace and profile functions, modules with "coverage" in their names, memory (by more than 5 MB) |
| reported | out of reach; a receipt, or the lack of any, says so |
| silent | out of reach, and nothing says so |

Under *passed* everything counts, under *passed unseen* all but what is called *seen*. On Python 3.8 to 3.11 both tools
need the trace function, so that of coverage.py in `sys.gettrace()` does not count there.
"""

Results = dict[tuple[str, str, str], Verdict]  # situation, column, version


def pythons() -> list[str]:
    """Return the versions to run: those wanted that are here, and the newest."""
    newest = max((version for version in INTERPRETERS if number(version) >= OLDEST), key=number)
    return sorted({newest, *(version for version in WANTED if version in INTERPRETERS)}, key=number)


def way_to_run(situation: Situation) -> ModuleType:
    """Return the module whose `run` knows how: containers for a situation with an image, else processes."""
    return import_module("containers" if situation.image else "processes")


def packages(trial: Trial, column: Column) -> tuple[str, ...]:
    """Return what is installed for a trial. An environment has one coverage.py: the column's in place of another."""
    added = column.packages(trial.version)
    names = {package.partition("==")[0] for package in added}
    return (*(package for package in trial.situation.requires if package.partition("==")[0] not in names), *added)


def attempt(trial: Trial) -> dict[str, Verdict]:
    """Run a situation with nothing, then with each column, in the same directory, and judge.

    Runs in a process of its own, which every process of the situation falls to.
    """
    directory = Path(tempfile.mkdtemp(prefix="faults-")).resolve()
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:

        def run(column: Column) -> tuple[Stage, Outcome]:
            environment = make_environment(trial.version, packages(trial, column))
            shutil.rmtree(directory)
            directory.mkdir(mode=0o755)
            if trial.situation.pth:  # into an environment that nobody else uses
                environment = shutil.copytree(environment, directory / "environment", symlinks=True)
            stage = Stage(directory, environment, port, trial.version)
            shutil.copytree(trial.situation.directory, stage.work)
            shutil.copy(PORTRAIT, stage.work)
            added = column.prepare(trial.situation, stage)
            return stage, way_to_run(trial.situation).run(trial.situation, stage, added)

        _, plain = run(Nothing())
        verdicts = {}
        for column in trial.columns:
            stage, measured = run(column)
            verdicts[column.name] = judge(trial.situation, stage, plain, measured, column.recorded(stage))
        return verdicts
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def try_all(trials: list[Trial], jobs: int, tell: Callable[[Trial, dict[str, Verdict]], None]) -> Results:
    """Run all trials, `jobs` at a time; call `tell` with each as it ends."""
    results: Results = {}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=adopt_orphans) as pool:
        waiting: dict[Future[dict[str, Verdict]], Trial] = {pool.submit(attempt, trial): trial for trial in trials}
        try:
            for future in as_completed(waiting):
                trial = waiting[future]
                for name, verdict in future.result().items():
                    results[trial.situation.name, name, trial.version] = verdict
                tell(trial, future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def prepare_environments(trials: Iterable[Trial]) -> None:
    """Install what the situations require, once, before anything runs side by side."""
    for trial in trials:
        for column in (Nothing(), *trial.columns):
            make_environment(trial.version, packages(trial, column))
        if trial.situation.image:
            obtain_base(trial.version)


def cell(situation: Situation, version: str, verdict: Verdict | None) -> str:
    """Return what the table says of one situation on one Python."""
    if verdict is None:
        return ""
    if verdict.passes and situation.unknown:
        return "reported"
    if verdict.passes and situation.tracer and number(version) < (3, 12):
        return "ok†"
    return verdict.word


def totals(results: Results, column: str, version: str, unseen: bool = False) -> str:
    """Return "passed/all" of one column of the table; `unseen`: what the application sees of itself does not count."""
    verdicts = [verdict for (_, name, python), verdict in results.items() if (name, python) == (column, version)]
    passed = sum(verdict.passes or (unseen and verdict.word == "seen") for verdict in verdicts)
    return f"{passed}/{len(verdicts)}"


def document(situations: list[Situation], versions: list[str], names: list[str], results: Results) -> str:
    """Return docs/faults.md."""
    heads = [(name, version) for name in names for version in versions]
    rows = [
        "| situation | " + " | ".join(f"{name} {version}" for name, version in heads) + " |",
        "| --- |" + " --- |" * len(heads),
    ]
    for situation in situations:
        says = f"{situation.says}{'‡' if situation.pth else ''}"
        cells = [cell(situation, version, results.get((situation.name, name, version))) for name, version in heads]
        rows.append(f"| {situation.group}: {says} | " + " | ".join(cells) + " |")
    for title, unseen in (("passed", False), ("passed unseen", True)):
        rows.append(f"| **{title}** | " + " | ".join(f"**{totals(results, *head, unseen)}**" for head in heads) + " |")
    parts = [EXPLANATION, "\n".join(rows)]
    for title, reasons in (
        ("Out of reach, and reported as such", {s.says: s.unknown for s in situations if s.unknown}),
        ("† Lines that the tracer may miss", {s.says: s.tracer for s in situations if s.tracer}),
        ("‡ With COVERAGE_SPY_INJECT=pth", {s.says: s.pth for s in situations if s.pth}),
    ):
        if reasons:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {says}: {reason}" for says, reason in reasons.items()))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def show(trial: Trial, verdicts: dict[str, Verdict]) -> None:
    """Print how a situation went on one Python, with every sentence about the spy."""
    words = "  ".join(f"{name}: {cell(trial.situation, trial.version, v)}" for name, v in verdicts.items())
    print(f"{trial.version:<5} {trial.situation.name:<40} {words}", flush=True)
    for sentence in verdicts["spy"].sentences:
        print(f"      {sentence}", flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    here = pythons()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="GLOB", help="situations, such as 'ends/*'; may be repeated")
    parser.add_argument("--python", action="append", choices=here, help="default: all of these; may be repeated")
    parser.add_argument("--situations", type=Path, default=HERE, metavar="DIR", help="default: all of this suite")
    parser.add_argument("--no-coverage", action="store_true", help="leave coverage.py's column out")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at a time (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Run what is asked for; write docs/faults.md after a run of everything. Returns 1 when the spy fails anywhere."""
    args = arguments()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, signal.default_int_handler)
    # Ignored below nohup or in the background, as SIGINT is; and applications would inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    versions = args.python or pythons()
    every = load_all(args.situations)
    situations = [s for s in every if not args.only or any(fnmatch(s.name, pattern) for pattern in args.only)]
    if any(s.image for s in situations) and not engine_answers():
        print("no Docker engine answers: situations in containers are left out, and docs/faults.md stays as it is")
        situations = [s for s in situations if not s.image]
    if any(s.disk for s in situations):
        install_programs(program for s in situations if s.disk for program in s.programs)
        if why := lacks_btrfs():
            print(f"no btrfs can be mounted ({why}): situations on one are left out, and docs/faults.md stays as it is")
            situations = [s for s in situations if not s.disk]
    if not situations:
        print(f"there is no situation {' or '.join(args.only or [str(args.situations)])}", file=sys.stderr)
        return 2
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-spy-") as directory:
        Path(directory).chmod(0o755)
        spy = copy_spy(Path(directory).resolve() / "coverage-spy", versions)
        columns: tuple[Column, ...] = (spy,) if args.no_coverage else (spy, CoveragePy())
        trials = [Trial(s, version, columns) for s in situations for version in versions if s.exists_on(version)]
        install_programs(program for s in situations for program in s.programs)
        prepare_environments(trials)
        results = try_all(trials, args.jobs, show)
    names = [column.name for column in columns]
    for name in names:
        for words, unseen in (("", False), (" (unseen)", True)):
            counts = "  ".join(f"{version} {totals(results, name, version, unseen)}" for version in versions)
            print(f"{name}{words}: {counts}")
    print(f"{len(trials)} trials in {time.monotonic() - started:.0f} s")
    if args.situations == HERE and situations == every and versions == pythons() and not args.no_coverage:
        beside = DOCUMENT.with_suffix(".part")
        beside.write_text(document(situations, versions, names, results))
        beside.replace(DOCUMENT)
    return int(not all(verdict.passes for (_, name, _), verdict in results.items() if name == spy.name))


if __name__ == "__main__":
    sys.exit(main())
