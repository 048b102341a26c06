"""The task analyze-coverage."""

import argparse

from ..project import Project
from .reports import combine_all
from .task import format_options, show, warn

LAST_RUNS = 10


def analyze(project: Project, args: argparse.Namespace) -> int:
    """Print the analysis, or GitHub's annotations of the patch."""
    from ..results.results import results_of

    results = results_of(project, combine_all(project))
    if args.annotations:
        from ..gates.patch import annotations, measure_patch

        print(*annotations(measure_patch(project, results)), sep="\n")
        return 0
    from ..answers.analysis import of_results

    show(of_results(project, results, args.service, args.path, args.runs), args)
    warn([finding.sentence for finding in results.damage])
    return 0


def analysis_options(parser: argparse.ArgumentParser) -> None:
    """Add the formats, --annotations and --runs."""
    format_options(parser).add_argument(
        "--annotations", action="store_true", help="print GitHub's annotations of changed lines that did not run"
    )
    parser.add_argument(
        "--runs",
        type=_count,
        default=LAST_RUNS,
        metavar="N",
        help=f"how many saved runs a candidate for dead code has not run in either; default: {LAST_RUNS} at most",
    )


def filter_options(parser: argparse.ArgumentParser) -> None:
    """Add --service and --path."""
    parser.add_argument("--service", action="append", default=[], metavar="NAME", help="this service only; repeatable")
    parser.add_argument("--path", default="*", metavar="GLOB", help="files that match only: 'libs/*'")


def _count(word: str) -> int:
    if not word.isdecimal():
        raise argparse.ArgumentTypeError(f"{word!r} is no number of runs")
    return int(word)
