"""The task coverage-install."""

import argparse
from pathlib import Path

from .task import complain


def install(_: object, args: argparse.Namespace) -> int:
    """Put coverage-spy into a repository, or say what would be done. Return 1 when that is refused."""
    from .. import install

    plan = install.make_plan(args.destination, args.prefix, args.keep)
    refusals = install.refusals(plan)
    write = not refusals and not args.dry_run
    if write:
        install.carry_out(plan)
    if args.json:
        print(install.as_json(plan, write))
    elif not refusals:
        print(install.summary(plan, args.dry_run))
    return complain(refusals)


def install_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the destination and how to install there."""
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
