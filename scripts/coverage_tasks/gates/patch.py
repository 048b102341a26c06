"""The patch: the statements that changed since the branch it is to be merged into, by git and diff-cover."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from coverage.exceptions import CoverageException

from ..errors import TaskError
from ..git import DIFF, Answer, ask, environment
from ..project import Project
from ..results.coveragepy import opened_coverage
from ..results.lines import Share
from ..results.results import Results
from ..sources.branch import Changes, find_changes
from ..text import counted

_HUNK = re.compile(rb"^@@ -\S+ \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


@dataclass(frozen=True)
class Patch:
    """What was executed of the statements that changed since `branch`, by file, and changed files that are unknown.

    `missed` are the lines of those that were not. `prefix` leads from git's own root to the directory that all paths
    are relative to.
    """

    branch: str
    files: Mapping[str, Share]
    unknown: tuple[str, ...]
    missed: Mapping[str, tuple[int, ...]]
    prefix: str = ""


def measure_patch(project: Project, results: Results, branch: str = "") -> Patch:
    """Compare the working tree, with what is not committed, with the commit where it left `branch`.

    Files that git does not track are not in it. Raise TaskError when there is no such branch, or nothing in common.
    """
    changes = find_changes(project.root, branch)
    if changes.reason:
        raise TaskError(f"the patch cannot be told: {changes.reason}", 2)
    diff = _ask(project, "diff", *DIFF, "--no-color", "--unified=0", changes.commit, "--", "*.py").text
    prefix = _ask(project, "rev-parse", "--show-prefix").line
    found = _diff_cover(project, results, diff) if results.files else {}
    files = {os.path.relpath(path, prefix or "."): lines for path, lines in sorted(found.items())}
    unknown = changes.files.intersection({*results.combined.unknown, *results.unparsed})
    unknown |= {
        path for path in changes.files.intersection(results.files) if _is_unknown(project, results, changes, path)
    }
    return Patch(
        changes.base,
        {path: Share(len(executed), len(executed) + len(missed)) for path, (executed, missed) in files.items()},
        tuple(sorted(unknown)),
        {path: tuple(missed) for path, (_, missed) in files.items() if missed},
        prefix,
    )


def _ask(project: Project, *arguments: str) -> Answer:
    answer = ask(project.root, *arguments, fetch=True)
    if answer.error:
        raise TaskError(f"the patch cannot be told: {answer.error}", 2)
    return answer


def _is_unknown(project: Project, results: Results, changes: Changes, path: str) -> bool:
    """Return whether a statement changed of which no service can say anything, in a file that is known in part."""
    unknown = results.files[path].unknown
    if not unknown:
        return False
    diff = _ask(project, "diff", *DIFF, "--no-color", "--unified=0", changes.commit, "--", f":(literal){path}").output
    stretches = (range(int(start), int(start) + int(count or b"1")) for start, count in _HUNK.findall(diff))
    return any(not unknown.isdisjoint(lines) for lines in stretches)


def _diff_cover(project: Project, results: Results, diff: str) -> dict[str, tuple[list[int], list[int]]]:
    """Return executed and missed lines of the files that have statements in a diff, by git's paths."""
    with tempfile.TemporaryDirectory() as directory:
        xml, patch, found = (Path(directory, name) for name in ("coverage.xml", "patch", "found.json"))
        patch.write_text(diff, "utf-8", errors="replace")
        try:
            with opened_coverage(results.analysed) as coverage:
                coverage.xml_report(list(results.files), outfile=str(xml))
        except CoverageException as error:
            raise TaskError(f"coverage.py cannot report: {error}") from None
        command = [sys.executable, "-P", "-m", "diff_cover.diff_cover_tool", str(xml)]
        command += ["--diff-file", str(patch), "--format", f"json:{found}", "--quiet"]
        answer = subprocess.run(command, cwd=project.root, capture_output=True, text=True, env=environment())
        if answer.returncode:
            reason = answer.stderr.strip().rpartition("\n")[2]
            raise TaskError(f"diff-cover cannot tell what changed ({reason}): run it by itself to see why")
        files = json.loads(found.read_text("utf-8"))["src_stats"]
    return {path: (lines["covered_lines"], lines["violation_lines"]) for path, lines in files.items()}


# GitHub shows no more warnings of one step.
MOST = 10


def annotations(patch: Patch) -> Iterator[str]:
    """Yield a command for each stretch of changed statements that were not executed, the longest first.

    The last one says how many more there are. Escaped as GitHub's own toolkit does it.
    """
    stretches = [(path, *stretch) for path, missed in patch.missed.items() for stretch in _stretches(missed)]
    stretches.sort(key=lambda stretch: (-stretch[3], stretch[0], stretch[1]))
    shown = stretches if len(stretches) <= MOST else stretches[: MOST - 1]
    for path, first, last, count in shown:
        statements = counted(count, "changed statement")
        yield (
            f"::warning file={_property(patch.prefix + path)},line={first},endLine={last},title=Not executed::"
            f"No service executed {statements} here"
        )
    if len(shown) < len(stretches):
        files = len({path for path, *_ in stretches[len(shown) :]})
        yield (
            f"::warning title=Not executed::{len(stretches) - len(shown)} more places in {files} files were changed "
            "and not executed: see the report"
        )


def _stretches(missed: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Yield first line, last line and number of statements of lines that lie together, two lines apart at most."""
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
