"""git: the only module that runs it, so that neither a user's settings nor a hook's variables change an answer."""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SECONDS = 20
MOST_WORDS = 500  # characters of what git says

# Settings that would change what is parsed here, or that name programs; those of git's own default say the same.
SETTINGS = {
    "color.diff": "false",
    "color.ui": "false",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "diff.interHunkContext": "0",
    "diff.orderFile": "/dev/null",
    "diff.relative": "false",
    "diff.renameLimit": "1000",
    "log.diffMerges": "separate",
    "log.follow": "false",
    "log.showRoot": "true",
    "log.showSignature": "false",
}
# The same of a diff where only an option, or an attribute of a file, decides.
DIFF = (
    *("--no-ext-diff", "--no-textconv", "--text", "--find-renames", "--ignore-submodules=dirty"),
    *("--diff-algorithm=myers", "--indent-heuristic", "--src-prefix=a/", "--dst-prefix=b/"),
)
# All others of git's variables say which repository, index and files it takes: those of a hook are of the hook.
KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH")
KEPT_BEGINNINGS = (
    *("GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"),  # where CI says which owners are safe
    *("GIT_ASKPASS", "GIT_HTTP_", "GIT_PROXY_", "GIT_SSH", "GIT_SSL_"),  # how a remote is reached
)


@dataclass(frozen=True)
class Answer:
    """What git printed, as far as it got, and what it said of the `error` that ended it, "" when none did."""

    output: bytes
    error: str = ""

    @property
    def text(self) -> str:
        """The output as text, as paths have it."""
        return os.fsdecode(self.output)

    @property
    def line(self) -> str:
        """The one line that it is."""
        return self.text.strip()


def ask(
    root: Path, *arguments: str, given: Iterable[str] = (), seconds: float | None = SECONDS, fetch: bool = False
) -> Answer:
    """Return what git says in a directory about a command, `given` line by line.

    `fetch`: what a partial clone lacks may be fetched.
    """
    settings = (word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}"))
    try:
        answer = subprocess.run(
            ["git", *settings, "-C", str(root), *arguments],
            input="".join(f"{line}\n" for line in given).encode(),
            capture_output=True,
            timeout=seconds,
            env=environment() if fetch else {**environment(), "GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Answer(error.stdout or b"", f"git {arguments[0]} took more than {seconds} s")
    except OSError as error:
        return Answer(b"", f"git cannot be started ({error.strerror})")
    if not answer.returncode:
        return Answer(answer.stdout)
    words = " ".join(answer.stderr.decode("utf-8", "replace").split())
    return Answer(answer.stdout, words[:MOST_WORDS] or f"git {arguments[0]} ended with exit code {answer.returncode}")


def environment() -> dict[str, str]:
    """Return the variables for git, and for programs that run it."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in KEPT or name.startswith(KEPT_BEGINNINGS)
    }
    return {**own, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}


def refusal(root: Path) -> str:
    """Return why git does not read the repository that a directory is in, in git's own words.

    It is "" when it does, and when there is none: then nobody has to mend anything.
    """
    return ask(root, "rev-parse", "--git-dir").error if is_in_repository(root) else ""


def is_in_repository(root: Path) -> bool:
    """Return whether a directory, or one above it on the same file system, holds what git takes for a repository."""
    try:
        device = root.stat().st_dev
        for place in (root.resolve(), *root.resolve().parents):
            if place.stat().st_dev != device:
                return False
            if (place / ".git").is_file() or (place / ".git" / "HEAD").is_file():
                return True
    except OSError:
        pass
    return False
