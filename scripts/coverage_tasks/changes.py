"""Which files a branch changes: what git says against the merge base with the default branch."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Where there is no remote that names its default branch.
DEFAULT_BRANCHES = ("origin/main", "origin/master", "main", "master")
# The repository's own settings may name programs that a diff starts; names need none of them.
PLAIN = ("--no-ext-diff", "--no-textconv", "--no-renames", "--relative", "--name-only", "-z")
GIT_SECONDS = 20


@dataclass(frozen=True)
class Changes:
    """The files below a root that differ from `base`, a branch; uncommitted and untracked ones too.

    `reason` says why nothing is known of changes; it is empty when something is.
    """

    base: str = ""
    files: frozenset[str] = frozenset()
    reason: str = ""


def find_changes(root: Path) -> Changes:
    """What the branch that is checked out in `root` changes; paths are relative to `root`."""
    try:
        base = _default_branch(root)
        if not base:
            return Changes(reason="git knows no default branch here")
        merge_base = (_git(root, "merge-base", "HEAD", base) or "").strip()
        if not merge_base:
            return Changes(reason=f"git knows no common commit with {base}: fetch more of the history")
        changed = _git(root, "diff", *PLAIN, merge_base, "--")
        untracked = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    except (OSError, subprocess.TimeoutExpired):
        changed = untracked = None
    if changed is None or untracked is None:
        return Changes(reason="git does not answer")
    return Changes(base, frozenset(filter(None, (changed + untracked).split("\0"))))


def _default_branch(root: Path) -> str:
    named = _git(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD") or ""
    for branch in (named.strip(), *DEFAULT_BRANCHES):
        if branch and _git(root, "rev-parse", "--quiet", "--verify", f"{branch}^{{commit}}"):
            return branch
    return ""


def _git(root: Path, *arguments: str) -> str | None:
    """What git prints; None when it fails."""
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, timeout=GIT_SECONDS, check=False)
    return None if answer.returncode else os.fsdecode(answer.stdout)
