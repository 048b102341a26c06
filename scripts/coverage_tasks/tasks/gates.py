"""The tasks that check and ratchet."""

import argparse

from ..errors import TaskError
from ..progress import say
from ..project import Project
from .task import show


def check(project: Project, args: argparse.Namespace) -> int:
    """Print what every rule says. Return 1 when one does not hold; raise TaskError with exit code 2 for the rest."""
    from ..answers.gates import of_verdicts
    from ..gates.check import check

    try:
        verdicts = check(project, args.compare_branch)
    except TaskError as error:
        raise TaskError(str(error), 2) from None  # 1 means that a rule does not hold
    show(of_verdicts(verdicts, failed_only=args.quiet), args)
    return int(any(not verdict.held for verdict in verdicts))


def ratchet(project: Project, _: argparse.Namespace) -> int:
    """Write the baseline."""
    from ..gates.baseline import write_baseline

    written = write_baseline(project)
    say(f"{project.baseline.name} has {len(written.services)} services and {len(written.files)} files: commit it")
    return 0


def branch_option(parser: argparse.ArgumentParser) -> None:
    """Add --compare-branch."""
    parser.add_argument(
        "--compare-branch", default="", metavar="BRANCH", help="what the patch is compared with, see docs/gates.md"
    )
