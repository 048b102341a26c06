"""The patch: the statements that changed since the branch it is to be merged into, by git and diff-cover."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coverage.exceptions import CoverageException

from .changes import PLAIN, find_changes, git
from .coveragepy import opened_coverage
from .lines import Share
from .project import Project, TaskError
from .results import Results

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
            with opened_coverage(project) as coverage:
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
