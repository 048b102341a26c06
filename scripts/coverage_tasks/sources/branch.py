"""Which files a branch changes: what git says against the merge base with the branch it is to be merged into."""

from dataclasses import dataclass
from pathlib import Path

from ..git import DIFF, ask, refusal

# Where there is no remote that names its default branch.
DEFAULT_BRANCHES = ("origin/main", "origin/master", "main", "master")
NAMES = ("--no-renames", "--relative", "--name-only", "-z")


@dataclass(frozen=True)
class Changes:
    """The files below a root that differ from `base`, a branch; uncommitted and untracked ones too.

    `commit` is the last one in common. `reason` says why nothing is known of changes; it is empty when something is.
    """

    base: str = ""
    commit: str = ""
    files: frozenset[str] = frozenset()
    reason: str = ""


def find_changes(root: Path, branch: str = "") -> Changes:
    """Return what is checked out in `root` and differs from where it left `branch`, by default the remote's default.

    Paths are relative to `root`.
    """
    refused = refusal(root)
    if refused:
        return Changes(reason=f"git does not read this repository: {refused}")
    base = branch or _default_branch(root)
    if not base:
        return Changes(reason="git knows no default branch here")
    if not _is_commit(root, base):
        return Changes(reason=f"git knows no branch {base}: fetch it, or name another one")
    merge_base = ask(root, "merge-base", "HEAD", base).line
    if not merge_base:
        return Changes(reason=f"git knows no common commit with {base}: fetch more of the history")
    changed = ask(root, "diff", *DIFF, *NAMES, merge_base, "--", fetch=True)
    untracked = ask(root, "ls-files", "--others", "--exclude-standard", "-z")
    if changed.error or untracked.error:
        return Changes(reason=f"git cannot tell what changed since {base}: {changed.error or untracked.error}")
    return Changes(base, merge_base, frozenset(filter(None, (changed.text + untracked.text).split("\0"))))


def _default_branch(root: Path) -> str:
    named = ask(root, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").line
    for branch in (named, *DEFAULT_BRANCHES):
        if branch and _is_commit(root, branch):
            return branch
    return ""


def _is_commit(root: Path, name: str) -> bool:
    return not ask(root, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}").error
