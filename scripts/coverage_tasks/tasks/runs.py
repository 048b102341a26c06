"""The tasks on saved runs."""

import argparse
import os
from pathlib import Path

from ..errors import TaskError
from ..progress import say
from ..project import Project
from .task import show

RUN = "a saved run's name, or the path of a directory or of a data file of coverage.py's"


def save(project: Project, args: argparse.Namespace) -> int:
    """Keep what was combined under a name."""
    from ..runs.store import save_run

    directory = save_run(project, args.name, args.force)
    say(f"the run is in {os.path.relpath(directory, project.root)}")
    return 0


def compare(project: Project, args: argparse.Namespace) -> int:
    """Print what changed from one run to another, the present one by default."""
    from ..answers.difference import of_difference
    from ..runs.difference import compare
    from ..runs.store import open_run

    show(of_difference(compare(open_run(project, args.old), open_run(project, args.new))), args)
    return 0


def runs(project: Project, args: argparse.Namespace) -> int:
    """Print the saved runs, or what an operation makes of some, and write that where --output says."""
    from ..answers.runs import of_combination, of_saved
    from ..runs.sets import operate, write_data
    from ..runs.store import open_run, saved_runs

    if not args.operation:
        saved = saved_runs(project)
        if not saved and not args.json:
            say("no run has been saved yet: coverage-save -- NAME keeps the present one")
            return 0
        show(of_saved(saved), args)
        return 0
    if len(args.runs) < 2 or len(set(args.runs)) < len(args.runs):
        raise TaskError(f"{args.operation} takes two runs or more, each once: name them", 2)
    combination = operate(project, args.operation, [open_run(project, name) for name in args.runs])
    if args.output:
        write_data(combination, args.output, args.force)
        say(f"the result is in {args.output}")
    show(of_combination(combination), args)
    return 0


def save_argument(parser: argparse.ArgumentParser) -> None:
    """Add the run's name."""
    parser.add_argument("name", metavar="NAME", help="what to call the run")


def between_arguments(parser: argparse.ArgumentParser) -> None:
    """Add two runs."""
    parser.add_argument("old", metavar="OLD", help=RUN)
    parser.add_argument("new", metavar="NEW", nargs="?", default="", help="the same (default: the present run)")


def runs_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the operation, its runs, and --output."""
    operations = ("union", "intersect", "subtract")
    parser.add_argument(
        "operation", nargs="?", choices=operations, help="subtract leaves what only the first run executed"
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"{RUN}; .coverage is the present run")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the result as a data file of coverage.py's")
