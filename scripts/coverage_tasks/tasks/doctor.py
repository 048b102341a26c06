"""The task coverage-doctor."""

import argparse
import os

from ..project import Project
from .task import show


def doctor(project: Project, args: argparse.Namespace) -> int:
    """Print the verdicts. Return 1 when there is one that is no note."""
    from ..answers.doctor import of_verdicts
    from ..doctor import compare, examine

    verdicts, services = examine(project, os.environ)
    if args.compare:
        verdicts += compare(project)
    show(of_verdicts(verdicts, services), args)
    return int(any(not verdict.note for verdict in verdicts))


def compare_option(parser: argparse.ArgumentParser) -> None:
    """Add --compare."""
    parser.add_argument(
        "--compare", action="store_true", help="start the services once without the spy, and compare how they end"
    )
