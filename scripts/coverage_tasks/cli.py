"""The tasks: one table, one subcommand each, the work in the modules they call."""

import argparse
import logging
import os
import platform
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from errno import ENAMETOOLONG
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from . import progress, streams
from .files import refuse_links
from .project import PREFIX, Project, TaskError, find_project, say
from .reader import NewerSource, read_again

if TYPE_CHECKING:
    from .runs import Run

# The portal in the HTML links to the files that are there.
REPORTS = ("json", "xml", "lcov", "markdown", "html", "summary")

LAST_RUNS = 10

# Each task imports what it needs when it runs: cleaning needs no YAML, starting a stack needs no coverage.


def _coverage_task(project: Project, args: argparse.Namespace) -> int:
    command = _command(project, args, "coverage")
    from . import stack
    from .locks import only_run

    stack.require_command(project, command)
    before = _before(project, args)
    stack.prepare_data(project)
    with only_run(project):
        try:
            stack.up(project, append=args.append, build=args.build)
            code = stack.run_command(project, command)
        finally:
            stack.down(project)
    try:
        damaged = _write_reports(project, before=before)
    except TaskError as error:
        raise TaskError(str(error), code or error.exit_code) from None
    except NewerSource as source:
        compared = ["--before", args.before] if args.before else []
        damaged = _read_again(source, ["coverage-report", *["--quiet"] * args.quiet, *compared])
    return code or damaged


def _up_task(project: Project, args: argparse.Namespace) -> int:
    from . import stack
    from .locks import only_run

    stack.prepare_data(project)
    with only_run(project):
        stack.up(project, append=args.append, build=args.build)
    return 0


def _ready_task(project: Project, _: argparse.Namespace) -> int:
    from . import stack

    stack.wait_until_ready(project)
    return 0


def _test_task(project: Project, args: argparse.Namespace) -> int:
    command = _command(project, args, "test-with-coverage")
    from . import stack

    return stack.run_command(project, command)


def _down_task(project: Project, _: argparse.Namespace) -> int:
    from . import stack
    from .locks import only_run

    with only_run(project):
        if not stack.down(project):
            say("no measured stack is up")
    return 0


def _overlay_task(project: Project, args: argparse.Namespace) -> int:
    from . import overlay, stack

    stack.prepare_data(project)
    path = (overlay.check_overlay if args.check else overlay.make_overlay)(project, args.output)
    say(f"the overlay {'is current:' if args.check else 'is in'} {os.path.relpath(path, project.root)}")
    return 0


def _combine_task(project: Project, _: argparse.Namespace) -> int:
    return _complain(_combine(project))


def _report_task(project: Project, args: argparse.Namespace) -> int:
    from . import stack

    if stack.running(project) or _has_data(project):
        return _write_reports(project, before=_before(project, args))
    say("there is no coverage data yet: running the task `coverage` first")
    return _coverage_task(project, args)


def _analyze_task(project: Project, args: argparse.Namespace) -> int:
    _combine(project)
    if args.annotations:
        from . import annotations, patch, results

        print(*annotations.annotations(patch.measure_patch(project, results.read_results(project))), sep="\n")
        return 0
    from . import analysis, results

    analysis.analyze(project, args)
    return _complain(results.read_results(project).damage)


def _doctor_task(project: Project, args: argparse.Namespace) -> int:
    from . import doctor

    return doctor.diagnose(project, args)


def _install_task(_: object, args: argparse.Namespace) -> int:
    from . import install

    plan = install.make_plan(args.destination, args.prefix, args.keep)
    refusals = install.refusals(plan)
    write = not refusals and not args.dry_run
    if write:
        install.carry_out(plan)
    if args.json:
        print(install.as_json(plan, write))
    elif not refusals:
        print(install.summary(plan, args.dry_run))
    return _complain(refusals)


def _save_task(project: Project, args: argparse.Namespace) -> int:
    from . import runs

    directory = runs.save_run(project, args.name, args.force)
    say(f"the run is in {os.path.relpath(directory, project.root)}")
    return 0


def _compare_task(project: Project, args: argparse.Namespace) -> int:
    from . import difference

    difference.show(project, args)
    return 0


def _runs_task(project: Project, args: argparse.Namespace) -> int:
    from . import algebra

    algebra.show(project, args)
    return 0


def _check_task(project: Project, args: argparse.Namespace) -> int:
    from . import gates

    try:
        return gates.show(project, args)
    except TaskError as error:
        raise TaskError(str(error), 2) from None  # 1 means that a rule does not hold


def _baseline_task(project: Project, _: argparse.Namespace) -> int:
    from . import baseline

    written = baseline.write_baseline(project)
    say(f"{project.baseline.name} has {len(written.services)} services and {len(written.files)} files: commit it")
    return 0


def _sources_task(project: Project, args: argparse.Namespace) -> int:
    from . import source_maps

    source_maps.show(project, args)
    return 0


def _clean_task(project: Project, _: argparse.Namespace) -> int:
    from . import stack

    stack.clean(project)
    return 0


def _html_task(project: Project, args: argparse.Namespace) -> int:
    return _write_reports(project, ("html",), _before(project, args))


def _writer(*kinds: str) -> Callable[[Project, argparse.Namespace], int]:
    def run(project: Project, _: argparse.Namespace) -> int:
        return _write_reports(project, kinds)

    return run


class Task(NamedTuple):
    """One task; nox and just take its name, group and help from here."""

    name: str
    group: str
    run: Callable[[Project, argparse.Namespace], int]
    help: str
    options: tuple[str, ...] = ()
    needs_project: bool = True


TASKS = (
    Task("coverage", "stack", _coverage_task, "Start, test, stop and report, in one", ("start", "before", "command")),
    Task(
        "up-coverage", "stack", _up_task, "Start the services with coverage and wait until they are ready", ("start",)
    ),
    Task("ensure-services-ready", "stack", _ready_task, "Wait until the running services are ready"),
    Task("test-with-coverage", "stack", _test_task, "Run a test command against the running services", ("command",)),
    Task("down-coverage", "stack", _down_task, "Stop the services, collect what they wrote, keep the volumes"),
    Task("coverage-overlay", "stack", _overlay_task, "Write the compose overlay that turns measuring on", ("output",)),
    Task("coverage-combine", "reports", _combine_task, "Combine what was recorded into .coverage"),
    Task("coverage-html", "reports", _html_task, "Write htmlcov/index.html", ("before",)),
    Task("coverage-json", "reports", _writer("json"), "Write coverage.json"),
    Task("coverage-xml", "reports", _writer("xml"), "Write coverage.xml"),
    Task("coverage-lcov", "reports", _writer("lcov"), "Write lcov.info"),
    Task(
        "coverage-report",
        "reports",
        _report_task,
        "Combine, write every report and print the summary",
        ("start", "before", "command"),
    ),
    Task(
        "analyze-coverage",
        "reports",
        _analyze_task,
        "Show what ran, what did not and what is unknown",
        ("analysis", "filter"),
    ),
    Task(
        "coverage-doctor", "reports", _doctor_task, "Say what keeps services from being measured", ("compare", "json")
    ),
    Task(
        "coverage-sources",
        "reports",
        _sources_task,
        "Show which container path is which path of the repository, and why",
        ("services", "json"),
    ),
    Task("coverage-save", "runs", _save_task, "Keep what was combined under a name", ("save", "force")),
    Task("coverage-compare", "runs", _compare_task, "Show what changed from one run to another", ("between", "format")),
    Task(
        "coverage-runs",
        "runs",
        _runs_task,
        "List the saved runs, or add, intersect and subtract runs",
        ("runs", "force", "format"),
    ),
    Task(
        "coverage-check",
        "gates",
        _check_task,
        "Check the thresholds of coverage-spy.yml and the baseline",
        ("check", "format"),
    ),
    Task("coverage-baseline", "gates", _baseline_task, "Write coverage-baseline.json, below which nothing may fall"),
    Task("coverage-clean", "reports", _clean_task, "Remove the recorded data and the reports"),
    Task(
        "coverage-install",
        "setup",
        _install_task,
        "Put coverage-spy into a repository, or update it",
        ("install", "json"),
        needs_project=False,
    ),
)


def _add_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="-- COMMAND",
        help="the test command (default: COVERAGE_SPY_TEST, then coverage-spy.yml)",
    )


def _add_start(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--build", action="store_true", help="build the images anew first")
    parser.add_argument("--append", action="store_true", help="keep what earlier runs recorded")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the overlay is, or is to be")
    parser.add_argument("--check", action="store_true", help="write no overlay; exit code 1 when it is not current")


def _add_format(parser: argparse.ArgumentParser) -> "argparse._MutuallyExclusiveGroup":
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    formats.add_argument("--markdown", action="store_true", help="print Markdown")
    return formats


def _add_analysis(parser: argparse.ArgumentParser) -> None:
    _add_format(parser).add_argument(
        "--annotations", action="store_true", help="print GitHub's annotations of changed lines that did not run"
    )
    parser.add_argument(
        "--runs",
        type=_count,
        default=LAST_RUNS,
        metavar="N",
        help=f"how many saved runs a candidate for dead code has not run in either; default: {LAST_RUNS} at most",
    )


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is no number of runs")
    return int(word)


def _add_install(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("destination", type=Path, metavar="DEST", help="the repository")
    parser.add_argument("--prefix", default="", metavar="DIRECTORY", help="install there, tools/coverage for example")
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="FILE",
        help="keep your version of a file that both sides changed",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")


def _add_services(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("services", nargs="*", metavar="SERVICE", help="these services only")


def _add_filter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--service", action="append", default=[], metavar="NAME", help="this service only; repeatable")
    parser.add_argument("--path", default="*", metavar="GLOB", help="files that match only: 'libs/*'")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compare", action="store_true", help="start the services once without the spy, and compare how they end"
    )


def _add_save(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what to call the run")


def _add_force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace what is there already")


_RUN = "a saved run's name, or the path of a directory or of a data file of coverage.py's"


def _add_between(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("old", metavar="OLD", help=_RUN)
    parser.add_argument("new", metavar="NEW", nargs="?", default="", help="the same (default: the present run)")


def _add_before(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--before", default="", metavar="RUN", help=f"show in the HTML what changed since it: {_RUN}")


def _add_runs(parser: argparse.ArgumentParser) -> None:
    operations = ("union", "intersect", "subtract")
    parser.add_argument(
        "operation", nargs="?", choices=operations, help="subtract leaves what only the first run executed"
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"{_RUN}; .coverage is the present run")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result as a data file of coverage.py's")


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--compare-branch", default="", metavar="BRANCH", help="what the patch is compared with, see docs/gates.md"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


OPTIONS: dict[str, Callable[[argparse.ArgumentParser], object]] = {
    "analysis": _add_analysis,
    "command": _add_command,
    "start": _add_start,
    "output": _add_output,
    "format": _add_format,
    "services": _add_services,
    "compare": _add_compare,
    "filter": _add_filter,
    "save": _add_save,
    "force": _add_force,
    "between": _add_between,
    "before": _add_before,
    "runs": _add_runs,
    "check": _add_check,
    "json": _add_json,
    "install": _add_install,
}


def build_parser() -> argparse.ArgumentParser:
    """The command line, with a subcommand per row of TASKS."""
    parser = argparse.ArgumentParser(
        prog="python -m coverage_tasks", description="Which lines of this repository its running services executed."
    )
    subparsers = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    for task in TASKS:
        subparser = subparsers.add_parser(task.name, help=task.help, description=task.help + ".")
        subparser.add_argument("-q", "--quiet", action="store_true", help="show results and errors only")
        for option in task.options:
            OPTIONS[option](subparser)
        subparser.set_defaults(run=task.run, needs_project=task.needs_project, reads=task.group != "stack")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one task. Returns its exit code: 1 for what the user can put right, 2 for usage, 130 for Ctrl-C."""
    streams.open_closed()
    streams.write_whatever_it_is()
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = build_parser().parse_args(arguments)
    logging.basicConfig(
        format=PREFIX + "%(message)s",
        level=logging.WARNING if args.quiet else logging.INFO,
        handlers=[progress.Handler()],
        force=True,
    )
    # A runner that gives up sends SIGTERM; the stack must come down all the same.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        project = find_project(Path.cwd(), os.environ, args.reads) if args.needs_project else None
        if project and project.example:
            say(f"nothing to run in {project.root}: taking {project.directory.relative_to(project.root)}")
        if project:
            refuse_links(project.data)
        try:
            code: int = args.run(project, args)
        except NewerSource as source:
            code = _read_again(source, arguments)
        sys.stdout.flush()
        return code
    except TaskError as error:
        _complain([str(error)])
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        streams.drop_output()  # whoever read has enough
        return 141
    except OSError as error:
        sentence = _sentence(error)
        if not sentence:
            raise
        _complain([sentence])
        return 1


def _sentence(error: OSError) -> str:
    """What the user can put right about an error that nobody expects where it comes; "" when that is nothing."""
    if error.errno == ENAMETOOLONG:
        return f"{str(error.filename)[:100]!r}... is too long for the name of a file: take a shorter one"
    if streams.output_fails():
        return f"cannot write to stdout ({error.strerror}): make room where it leads, or let it lead elsewhere"
    return ""


def _read_again(source: NewerSource, arguments: Sequence[str]) -> int:
    from .combine import some

    say(f"reading with {source.python}: {some(source.paths)} newer than Python {platform.python_version()}")
    return read_again(source.python, arguments)


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(143)


def _command(project: Project, args: argparse.Namespace, task: str) -> list[str]:
    command = list(args.command)
    if command[:1] == ["--"]:
        del command[0]
    if not command:
        command = _words(os.environ.get("COVERAGE_SPY_TEST", ""))
    if not command:
        from .configuration import read_configuration

        command = list(read_configuration(project.root).test)
    if not command and project.example:
        command = [sys.executable, "-m", "pytest", str(project.directory.relative_to(project.root) / "tests")]
    if not command:
        raise TaskError(
            f"there is no test command: say `{task} -- COMMAND`, or set COVERAGE_SPY_TEST, or test in coverage-spy.yml",
            2,
        )
    return command


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise TaskError(f"COVERAGE_SPY_TEST cannot be split into words ({error}): correct its quotes", 2) from None


def _has_data(project: Project) -> bool:
    from .journals import find_journals

    return bool(find_journals(project.journals))


def _before(project: Project, args: argparse.Namespace) -> "Run | None":
    """The run to compare with, read before anything is written: it may be what was combined last."""
    if not args.before:
        return None
    from . import runs

    return runs.open_run(project, args.before)


def _combine(project: Project) -> list[str]:
    """Combine, and return what is damaged, in sentences."""
    from . import combine, stack

    stack.collect(project)
    return combine.combine(project).damage


def _write_reports(project: Project, kinds: Sequence[str] = REPORTS, before: "Run | None" = None) -> int:
    """Write what can be written, then name what could not and what was damaged. Returns 1 when there is any."""
    _combine(project)
    from . import reports, results

    damage = results.read_results(project).damage
    failures = []
    for kind in kinds:
        try:
            getattr(reports, kind)(project, *([before] if kind == "html" else []))
        except TaskError as error:
            failures.append(str(error))
    if kinds == REPORTS and not failures:
        say("the reports are htmlcov/index.html, coverage.json, coverage.xml, lcov.info and coverage.md")
    return _complain([*damage, *failures])


def _complain(problems: Sequence[str]) -> int:
    for problem in dict.fromkeys(problems):
        print(f"{PREFIX}{problem}", file=sys.stderr)
    return int(bool(problems))
