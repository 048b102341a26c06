# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.2.9"]
# ///
"""Sessions of coverage-spy.

`coverage` measures the services from start to report; its parts are sessions of their own, mounted from
scripts/coverage_sessions.py. The group `template` is for work on coverage-spy itself.
"""

import os
import sys
from pathlib import Path

import nox

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "scripts"))  # nox's console script leaves it out

import coverage_sessions  # noqa: E402, F401

nox.needs_version = ">=2025.2.9"

REQUIREMENTS = ("-r", "scripts/requirements.txt")
PATHS = {"PYTHONPATH": os.pathsep.join((str(HERE / "scripts"), str(HERE / "tests")))}


@nox.session(default=False, reuse_venv=True, tags=["template"])
def tests(session: nox.Session) -> None:
    """Run the tests; those that need an engine are skipped, with the reason, where none answers."""
    session.install(*REQUIREMENTS, "-r", "tests/requirements.txt")
    session.run("python", "-m", "pytest", *(session.posargs or ["tests"]), env=PATHS, interrupt_timeout=60.0)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def lint(session: nox.Session) -> None:
    """Check style and types: ruff, mypy, just, shellcheck, actionlint and zizmor."""
    session.install(*REQUIREMENTS, "-r", "tests/requirements-lint.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    for justfile in ("justfile", "coverage.just"):
        session.run("just", "--unstable", "--fmt", "--check", "--justfile", justfile)
    session.run("shellcheck", *(str(file) for file in Path(".ci").iterdir()))
    session.run("actionlint")
    session.run("zizmor", "--offline", ".github")


@nox.session(default=False, reuse_venv=True, tags=["template"])
def bench(session: nox.Session) -> None:
    """Compare speed without a spy, with it, and with coverage.py, side by side in one run."""
    session.install(*REQUIREMENTS)
    session.run("python", "tests/bench.py", *session.posargs, env=PATHS)


if __name__ == "__main__":
    nox.main()
