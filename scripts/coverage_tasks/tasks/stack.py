"""The tasks that run services."""

import argparse
import os
import shlex
from pathlib import Path

from ..errors import TaskError
from ..progress import say
from ..project import Project


def up(project: Project, args: argparse.Namespace) -> int:
    """Start the services and wait until they are ready."""
    from ..locks import only_run
    from ..recorded.state import prepare_state
    from ..runtimes import stack

    prepare_state(project)
    with only_run(project):
        stack.up(project, append=args.append, build=args.build)
    return 0


def wait(project: Project, _: argparse.Namespace) -> int:
    """Wait until the running services are ready."""
    from ..runtimes import stack

    stack.wait_until_ready(project)
    return 0


def test(project: Project, args: argparse.Namespace) -> int:
    """Run a command against the running services. Return its exit code."""
    command = command_of(project, args)
    from ..runtimes import stack

    return stack.run_command(project, command)


def down(project: Project, _: argparse.Namespace) -> int:
    """Stop the services and collect what they wrote."""
    from ..locks import only_run
    from ..runtimes import stack

    with only_run(project):
        if not stack.down(project):
            say("no measured stack is up")
    return 0


def overlay(project: Project, args: argparse.Namespace) -> int:
    """Write the overlay, or compare it with what would be written."""
    from ..recorded.state import prepare_state
    from ..runtimes.compose import overlay

    prepare_state(project)
    path = (overlay.check_overlay if args.check else overlay.make_overlay)(project, args.output)
    say(f"the overlay {'is current:' if args.check else 'is in'} {os.path.relpath(path, project.root)}")
    return 0


def command_argument(parser: argparse.ArgumentParser) -> None:
    """Add the test command, which is all words that are left."""
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="the test command (default: COVERAGE_SPY_TEST, then coverage-spy.yml)",
    )


def start_options(parser: argparse.ArgumentParser) -> None:
    """Add --build and --append."""
    parser.add_argument("--build", action="store_true", help="build the images anew first")
    parser.add_argument("--append", action="store_true", help="keep what earlier runs recorded")


def overlay_options(parser: argparse.ArgumentParser) -> None:
    """Add --output and --check."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the overlay is, or is to be")
    parser.add_argument("--check", action="store_true", help="write no overlay; exit code 1 when it is not current")


def command_of(project: Project, args: argparse.Namespace) -> list[str]:
    """Return the words of the test command. Raise TaskError with exit code 2 when there is none."""
    command = list(args.command)
    if command[:1] == ["--"]:
        del command[0]
    if not command:
        command = _words(os.environ.get("COVERAGE_SPY_TEST", ""))
    if not command:
        from ..configuration import read_configuration

        command = list(read_configuration(project.root).test)
    if not command:
        raise TaskError(
            f"there is no test command: say `{args.usage} COMMAND`, or set COVERAGE_SPY_TEST, or test in "
            "coverage-spy.yml",
            2,
        )
    return command


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise TaskError(f"COVERAGE_SPY_TEST cannot be split into words ({error}): correct its quotes", 2) from None
