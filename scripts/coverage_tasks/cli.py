"""The command line: a subcommand for each task, and what its exit code means."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from errno import ENAMETOOLONG
from pathlib import Path
from types import FrameType
from typing import NoReturn

from . import progress, streams
from .errors import TaskError
from .progress import PREFIX, say
from .project import Project, root_in
from .results.newer_python import NewerSource
from .settings import USAGE
from .tasks import TASKS
from .tasks.reports import read_in
from .tasks.task import complain


def build_parser() -> argparse.ArgumentParser:
    """Return the command line, with a subcommand per row of TASKS, which says how the session or recipe is called."""
    parser = argparse.ArgumentParser(
        prog="python -m coverage_tasks", description="Which lines of this repository its running services executed."
    )
    subparsers = parser.add_subparsers(dest="task", required=True, metavar="TASK")
    called = os.environ.get(USAGE)
    for task in TASKS:
        usage = called or f"{parser.prog} {task.name}"
        subparser = subparsers.add_parser(task.name, prog=usage, help=task.help, description=task.help + ".")
        subparser.add_argument("-q", "--quiet", action="store_true", help="show results and errors only")
        for option in task.options:
            option(subparser)
        subparser.set_defaults(run=task.run, needs_project=task.needs_project, reads=task.group != "stack")
        subparser.set_defaults(usage=usage, wrong=subparser.error)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one task. Return its exit code: 1 for what the user can put right, 2 for usage, 130 for Ctrl-C."""
    streams.open_closed()
    streams.write_whatever_it_is()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[1:2] == ["--"]:
        del arguments[1]  # just passes on what nox takes away
    args, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        args.wrong(f"unrecognized arguments: {' '.join(unknown)}")
    logging.basicConfig(
        format=PREFIX + "%(message)s",
        level=logging.WARNING if args.quiet else logging.INFO,
        handlers=[progress.Handler()],
        force=True,
    )
    # A runner that gives up sends SIGTERM; the stack must come down all the same.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        project = _project(args.reads) if args.needs_project else None
        try:
            code: int = args.run(project, args)
        except NewerSource as source:
            code = read_in(source, arguments)
        sys.stdout.flush()
        return code
    except TaskError as error:
        complain([str(error)])
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
        complain([sentence])
        return 1


def _sentence(error: OSError) -> str:
    """Return what the user can put right about an error that nobody expects where it comes; "" when that is nothing."""
    if error.errno == ENAMETOOLONG:
        return f"{str(error.filename)[:100]!r}... is too long for the name of a file: take a shorter one"
    if streams.output_fails():
        return f"cannot write to stdout ({error.strerror}): make room where it leads, or let it lead elsewhere"
    return ""


def _project(reads: bool) -> Project:

    from .recorded.state import refuse_foreign
    from .runtimes.choice import find_project

    here = Path.cwd()
    root = root_in(here)
    if root != here.resolve():
        say(f"nothing to run in {here}: taking {root.relative_to(here.resolve())}")
        os.chdir(root)
    project = find_project(root, os.environ, reads)
    refuse_foreign(project)
    return project


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(143)
