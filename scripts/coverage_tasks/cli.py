"""The tasks: one table, one subcommand each, the work in the modules they call."""

import argparse
import logging
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

from .project import Project, TaskError, find_project, say

# Each task imports what it needs when it runs: cleaning needs no YAML, starting a stack needs no coverage.


def run_everything(project: Project, args: argparse.Namespace) -> int:
    command = _command(project, args, "coverage")
    from . import stack

    try:
        stack.up(project, append=args.append)
        code = stack.run_command(project, command)
    finally:
        stack.down(project)
    report_everything(project)
    return code


def up(project: Project, args: argparse.Namespace) -> int:
    from . import stack

    stack.up(project, append=args.append)
    return 0


def ready(project: Project, _: argparse.Namespace) -> int:
    from . import stack

    stack.wait_until_ready(project)
    return 0


def test(project: Project, args: argparse.Namespace) -> int:
    command = _command(project, args, "test-with-coverage")
    from . import stack

    return stack.run_command(project, command)


def down(project: Project, _: argparse.Namespace) -> int:
    from . import stack

    stack.down(project)
    return 0


def overlay(project: Project, args: argparse.Namespace) -> int:
    from . import overlay

    path = overlay.make_overlay(project, args.output)
    say(f"the overlay is in {os.path.relpath(path, project.root)}")
    return 0


def combine(project: Project, _: argparse.Namespace) -> int:
    _combine(project)
    return 0


def html(project: Project, _: argparse.Namespace) -> int:
    return _report(project, "html")


def json(project: Project, _: argparse.Namespace) -> int:
    return _report(project, "json")


def xml(project: Project, _: argparse.Namespace) -> int:
    return _report(project, "xml")


def lcov(project: Project, _: argparse.Namespace) -> int:
    return _report(project, "lcov")


def report(project: Project, args: argparse.Namespace) -> int:
    from . import stack

    if stack.running(project) or _has_data(project):
        report_everything(project)
        return 0
    say("there is no coverage data yet: running the task `coverage` first")
    return run_everything(project, args)


def analyze(project: Project, args: argparse.Namespace) -> int:
    _combine(project)
    from . import analysis

    analysis.analyze(project, args)
    return 0


def clean(project: Project, _: argparse.Namespace) -> int:
    from . import stack

    stack.clean(project)
    return 0


class Task(NamedTuple):
    name: str
    run: Callable[[Project, argparse.Namespace], int]
    help: str
    options: tuple[str, ...] = ()


TASKS = (
    Task("coverage", run_everything, "Start, test, stop and report, in one", ("append", "command")),
    Task("up-coverage", up, "Start the services with coverage and wait until they are ready", ("append",)),
    Task("ensure-services-ready", ready, "Wait until the running services are ready"),
    Task("test-with-coverage", test, "Run a test command against the running services", ("command",)),
    Task("down-coverage", down, "Stop the services, collect what they wrote, keep the volumes"),
    Task("coverage-overlay", overlay, "Write the compose overlay that turns measuring on", ("output",)),
    Task("coverage-combine", combine, "Combine what was recorded into .coverage"),
    Task("coverage-html", html, "Write htmlcov/index.html"),
    Task("coverage-json", json, "Write coverage.json"),
    Task("coverage-xml", xml, "Write coverage.xml"),
    Task("coverage-lcov", lcov, "Write lcov.info"),
    Task("coverage-report", report, "Combine, write every report and print the summary", ("append", "command")),
    Task("analyze-coverage", analyze, "Show what ran, what did not and what is unknown", ("format",)),
    Task("coverage-clean", clean, "Remove the recorded data and the reports"),
)


def _add_command(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the test command (default: COVERAGE_SPY_TEST)"
    )


def _add_append(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--append", action="store_true", help="keep what earlier runs recorded")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write the overlay")


def _add_format(parser: argparse.ArgumentParser) -> None:
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    formats.add_argument("--markdown", action="store_true", help="print Markdown")


OPTIONS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "command": _add_command,
    "append": _add_append,
    "output": _add_output,
    "format": _add_format,
}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m coverage_tasks", description="Which lines of this repository its running services executed."
    )
    subparsers = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    for task in TASKS:
        subparser = subparsers.add_parser(task.name, help=task.help, description=task.help + ".")
        subparser.add_argument("-q", "--quiet", action="store_true", help="show results and errors only")
        for option in task.options:
            OPTIONS[option](subparser)
        subparser.set_defaults(run=task.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one task. Returns its exit code: 1 for what the user can put right, 2 for usage, 130 for Ctrl-C."""
    args = build_parser().parse_args(argv)
    logging.basicConfig(
        format="coverage-spy: %(message)s", level=logging.WARNING if args.quiet else logging.INFO, force=True
    )
    # A runner that gives up sends SIGTERM; the stack must come down all the same.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        project = find_project(Path.cwd(), os.environ)
        if project.example:
            say(f"nothing to run in {project.root}: taking {project.directory.relative_to(project.root)}")
        code: int = args.run(project, args)
        return code
    except TaskError as error:
        print(f"coverage-spy: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(143)


def _command(project: Project, args: argparse.Namespace, task: str) -> list[str]:
    command = list(args.command)
    if command[:1] == ["--"]:
        del command[0]
    if not command:
        command = shlex.split(os.environ.get("COVERAGE_SPY_TEST", ""))
    if not command and project.example:
        command = [sys.executable, "-m", "pytest", str(project.directory.relative_to(project.root) / "tests")]
    if not command:
        raise TaskError(f"there is no test command: say `{task} -- COMMAND` or set COVERAGE_SPY_TEST", 2)
    return command


def _has_data(project: Project) -> bool:
    return next(project.data.glob("*.journal"), None) is not None


def _combine(project: Project) -> None:
    from . import combine, stack

    stack.collect(project)
    combine.combine(project)


def _report(project: Project, kind: str) -> int:
    _combine(project)
    from . import reports

    getattr(reports, kind)(project)
    return 0


def report_everything(project: Project) -> None:
    """Combines and writes every report, then prints the summary."""
    _combine(project)
    from . import reports

    for write in (reports.html, reports.json, reports.xml, reports.lcov, reports.markdown, reports.summary):
        write(project)
