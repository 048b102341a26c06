"""git: the only module that runs it."""

import os
import subprocess
from pathlib import Path

# The repository's own settings may name programs that a diff starts; nobody here needs them.
PLAIN = ("--no-ext-diff", "--no-textconv")
GIT_SECONDS = 20


def git(root: Path, *arguments: str) -> str | None:
    """What git prints; None when it fails. Raises OSError without git, TimeoutExpired when it takes too long."""
    answer = subprocess.run(["git", *arguments], cwd=root, capture_output=True, timeout=GIT_SECONDS, check=False)
    return None if answer.returncode else os.fsdecode(answer.stdout)
