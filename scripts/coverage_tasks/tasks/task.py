"""A task: its name, group, help and options, and what several of them do alike.

nox and just read the table without the packages that tasks need: each task imports those when it runs.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..progress import PREFIX
from ..project import Project

if TYPE_CHECKING:
    from ..answers.answer import Answer


class Task(NamedTuple):
    """One task; nox and just take its name, group and help from here.

    `run` returns the exit code. `options` add the arguments that it takes.
    """

    name: str
    group: str
    run: Callable[[Project, argparse.Namespace], int]
    help: str
    options: tuple[Callable[[argparse.ArgumentParser], object], ...] = ()
    needs_project: bool = True


def show(answer: "Answer", args: argparse.Namespace) -> None:
    """Print an answer, in the form that `--json` or `--markdown` asks for; nothing when it has no lines."""
    text = answer.text(args.json, getattr(args, "markdown", False))
    if text:
        print(text)


def warn(problems: Sequence[str]) -> None:
    """Print each problem once on stderr: what is unknown is said, and is no failure of the task."""
    for problem in dict.fromkeys(problems):
        print(f"{PREFIX}{problem}", file=sys.stderr)


def complain(problems: Sequence[str]) -> int:
    """Print each problem once on stderr. Return 1 when there is any."""
    warn(problems)
    return int(bool(problems))


def format_options(parser: argparse.ArgumentParser) -> "argparse._MutuallyExclusiveGroup":
    """Add --json and --markdown."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--json", action="store_true", help="print JSON")
    formats.add_argument("--markdown", action="store_true", help="print Markdown")
    return formats


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def force_option(parser: argparse.ArgumentParser) -> None:
    """Add --force."""
    parser.add_argument("--force", action="store_true", help="replace what is there already")
