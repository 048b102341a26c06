"""Checkouts for tests, in git or not."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always")


def write(root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def write_projects(root: Path, *names: str) -> None:
    """Write files that are a Procfile or a compose file, whatever they are called."""
    write(root, dict.fromkeys(names, "web: true\n"))


def git(root: Path, *command: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    answer = subprocess.run(
        ["git", "-C", root, *IDENTITY, *command], check=True, capture_output=True, text=True, env=environ
    )
    return answer.stdout


def commit(root: Path, files: Mapping[str, str] | None = None) -> str:
    """Commit all there is, after writing `files`. Returns the commit."""
    write(root, files or {})
    git(root, "add", "--all")
    git(root, "commit", "-q", "-m", "a change")
    return git(root, "rev-parse", "HEAD").strip()
