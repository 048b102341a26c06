"""The tasks that combine and report."""

import argparse
import platform
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import TaskError
from ..progress import say
from ..project import Project
from ..reports.formats import DATA, HTML, REPORTS, NoFiles, Report
from ..results.newer_python import NewerSource, read_again
from ..text import listed, some
from .runs import RUN
from .stack import command_of
from .task import complain, warn

EMPTY = "no service that is measured sent anything, so nothing was measured: see coverage-doctor"

if TYPE_CHECKING:
    from ..combined.model import Combined
    from ..runs.store import Run


def coverage(project: Project, args: argparse.Namespace) -> int:
    """Start the services, run the test command, stop them and report. Return the command's exit code."""
    command = command_of(project, args)
    from ..coverage_settings import read_settings
    from ..locks import only_run
    from ..recorded.journals import find_journals
    from ..recorded.state import prepare_state
    from ..runtimes import stack
    from ..runtimes.interrupts import finishing

    stack.require_command(project, command)
    read_settings(project.root)  # whatever is wrong with them is said before the services have run
    before = _before(project, args)
    prepare_state(project)
    with only_run(project):
        try:
            with finishing(lambda _: stack.down(project)):
                stack.up(project, append=args.append, build=args.build)
                code = stack.run_command(project, command)
        except TaskError:
            if find_journals(project.journals):
                _write_reports(project, before=before)  # of what was executed until then
            raise
    try:
        damaged = _write_reports(project, before=before)
    except TaskError as error:
        raise TaskError(str(error), code or error.exit_code) from None
    except NewerSource as source:
        compared = ["--before", args.before] if args.before else []
        damaged = read_in(source, ["coverage-report", *["--quiet"] * args.quiet, *compared])
    return code or damaged


def report(project: Project, args: argparse.Namespace) -> int:
    """Write every report of what was recorded; run `coverage` when nothing was."""
    from ..recorded.journals import find_journals
    from ..runtimes import stack

    if stack.running(project) or find_journals(project.journals) or _has_run(project):
        return _write_reports(project, before=_before(project, args))
    say("there is no coverage data yet: running the task `coverage` first")
    return coverage(project, args)


def _has_run(project: Project) -> bool:
    """Return whether the last run has ended, whatever it recorded: another one would be the same."""
    from ..combined.origins import recorded_stack

    stack = recorded_stack(project)
    return bool(stack.services and stack.ended)


def combine(project: Project, _: argparse.Namespace) -> int:
    """Combine what was recorded, into coverage.py's data file."""
    return _write_reports(project, (DATA,))


def html(project: Project, args: argparse.Namespace) -> int:
    """Write the HTML report."""
    return _write_reports(project, (HTML,), _before(project, args))


def writer(report: Report) -> Callable[[Project, argparse.Namespace], int]:
    """Return the task that writes one report."""

    def run(project: Project, _: argparse.Namespace) -> int:
        return _write_reports(project, (report,))

    return run


def clean(project: Project, _: argparse.Namespace) -> int:
    """Remove the recorded data and the reports."""
    from ..recorded.state import remove
    from ..reports.place import written
    from ..runtimes import stack

    stack.discard(project)
    ours, theirs = written(project)
    if theirs:
        say(f"{listed(theirs)} {'stay' if theirs[1:] else 'stays'}: another tool wrote there")
    page = Path(HTML.file)
    remove(project, [path.parent if path.match(f"*/{page}") else path for path in ours])
    return 0


def before_option(parser: argparse.ArgumentParser) -> None:
    """Add --before."""
    parser.add_argument("--before", default="", metavar="RUN", help=f"show in the HTML what changed since it: {RUN}")


def read_in(source: NewerSource, arguments: Sequence[str]) -> int:
    """Run a task again with the Python that reads its sources. Return its exit code."""
    say(f"reading with {source.python}: {some(source.paths)} newer than Python {platform.python_version()}")
    return read_again(source.python, arguments)


def combine_all(project: Project) -> "Combined":
    """Combine what was recorded until now."""
    from ..combined import combine
    from ..runtimes import stack

    stack.collect(project)
    return combine.combine(project)


def _before(project: Project, args: argparse.Namespace) -> "Run | None":
    """Return the run to compare with, read before anything is written: it may be what was combined last."""
    if not args.before:
        return None
    from ..runs.store import open_run

    return open_run(project, args.before)


def _write_reports(project: Project, reports: Sequence[Report] = REPORTS, before: "Run | None" = None) -> int:
    """Write what can be written, then name what could not be, and what could not be read.

    Return 1 when a report could not be written, or nothing was measured. The summary is printed with all reports.
    """
    from ..reports.place import remember, require_ours
    from ..reports.summary import text
    from ..results.results import results_of

    results = results_of(project, combine_all(project))
    for note in results.settings.notes(results.combined.branch):
        say(note)
    failures = []
    for report in reports:
        path = report.path(project)
        try:
            require_ours(project, path)
            path.parent.mkdir(parents=True, exist_ok=True)
            report.write(results, before)
            remember(project, [path])
        except NoFiles as error:
            if reports != REPORTS:
                failures.append(str(error))
            path.unlink(missing_ok=True)  # what an earlier run left says nothing of this one
        except TaskError as error:
            failures.append(str(error))
    if reports == REPORTS:
        print(text(results))
        if not failures:
            say(f"the reports are {listed([r.file for r in REPORTS if r.path(project).exists()])}")
    warn([finding.sentence for finding in results.damage])
    return complain([*failures, *[EMPTY] * results.combined.empty])
