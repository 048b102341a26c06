"""The patch: the statements that changed since the branch it is to be merged into, by git and diff-cover."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coverage.exceptions import CoverageException

from ..errors import TaskError
from ..git import PLAIN, git
from ..project import Project
from ..results.coveragepy import opened_coverage
from ..results.lines import Share
from ..results.results import Results
from ..sources.branch import find_changes
from ..text import counted

# Paths as they are, with the prefixes that diff-cover reads, whatever the user's settings of git are.
FORM = ("--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--unified=0")


@dataclass(frozen=True)
class Patch:
    """What was executed of the statements that changed since `branch`, by file, and changed files that are unknown.

    `missed` are the lines of those that were not.
    """

    branch: str
    files: Mapping[str, Share]
    unknown: tuple[str, ...]
    missed: Mapping[str, tuple[int, ...]]


def measure_patch(project: Project, results: Results, branch: str = "") -> Patch:
    """Compare the working tree, with what is not committed, with the commit where it left `branch`.

    Files that git does not track are not in it. Raises TaskError when there is no such branch, or nothing in common.
    """
    changes = find_changes(project.root, branch)
    if changes.reason:
        raise TaskError(f"the patch cannot be told: {changes.reason}", 2)
    try:
        diff = git(project.root, "-c", "core.quotePath=false", "diff", *PLAIN, *FORM, changes.commit, "--", "*.py")
        prefix = git(project.root, "rev-parse", "--show-prefix")
    except (OSError, subprocess.TimeoutExpired):
        diff = prefix = None
    if diff is None or prefix is None:
        raise TaskError("the patch cannot be told: git does not answer", 2)
    unknown = changes.files.intersection({*results.combined.unknown, *results.unparsed})
    found = _diff_cover(project, results, diff) if results.files else {}
    files = {os.path.relpath(path, prefix.strip() or "."): lines for path, lines in sorted(found.items())}
    return Patch(
        changes.base,
        {path: Share(len(executed), len(executed) + len(missed)) for path, (executed, missed) in files.items()},
        tuple(sorted(unknown)),
        {path: tuple(missed) for path, (_, missed) in files.items() if missed},
    )


def _diff_cover(project: Project, results: Results, diff: str) -> dict[str, tuple[list[int], list[int]]]:
    """Executed and missed lines of the files that have statements in a diff, by git's paths."""
    with tempfile.TemporaryDirectory() as directory:
        xml, patch, found = (Path(directory, name) for name in ("coverage.xml", "patch", "found.json"))
        patch.write_text(diff, "utf-8", errors="replace")
        try:
            with opened_coverage(results.analysed) as coverage:
                coverage.xml_report(list(results.files), outfile=str(xml))
        except CoverageException as error:
            raise TaskError(f"coverage.py cannot report: {error}") from None
        command = [sys.executable, "-P", "-m", "diff_cover.diff_cover_tool", str(xml)]
        options = ["--diff-file", str(patch), "--format", f"json:{found}", "--quiet"]
        answer = subprocess.run([*command, *options], cwd=project.root, capture_output=True, text=True)
        if answer.returncode:
            reason = answer.stderr.strip().rpartition("\n")[2]
            raise TaskError(f"diff-cover cannot tell what changed ({reason}): run it by itself to see why")
        files = json.loads(found.read_text("utf-8"))["src_stats"]
    return {path: (lines["covered_lines"], lines["violation_lines"]) for path, lines in files.items()}


# GitHub shows no more warnings of one step.
MOST = 10


def annotations(patch: Patch) -> Iterator[str]:
    """A command for each stretch of changed statements that were not executed, the longest first.

    The last one says how many more there are. Escaped as GitHub's own toolkit does it.
    """
    stretches = [(path, *stretch) for path, missed in patch.missed.items() for stretch in _stretches(missed)]
    stretches.sort(key=lambda stretch: (-stretch[3], stretch[0], stretch[1]))
    shown = stretches if len(stretches) <= MOST else stretches[: MOST - 1]
    for path, first, last, count in shown:
        statements = counted(count, "changed statement")
        yield (
            f"::warning file={_property(path)},line={first},endLine={last},title=Not executed::"
            f"No service executed {statements} here"
        )
    if len(shown) < len(stretches):
        files = len({path for path, *_ in stretches[len(shown) :]})
        yield (
            f"::warning title=Not executed::{len(stretches) - len(shown)} more places in {files} files were changed "
            "and not executed: see the report"
        )


def _stretches(missed: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """First line, last line and number of statements of lines that lie together, with two lines between at most."""
    lines = sorted(missed)
    begin = 0
    for index, line in enumerate(lines):
        if index + 1 == len(lines) or lines[index + 1] > line + 3:
            yield lines[begin], line, index + 1 - begin
            begin = index + 1


def _property(text: str) -> str:
    for special, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        text = text.replace(special, code)
    return text
