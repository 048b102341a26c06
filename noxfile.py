# /// script
# requires-python = ">=3.11"
# dependencies = ["nox>=2025.2.9"]
# ///
"""Sessions of coverage-spy.

`coverage` measures the services from start to report; its parts are sessions of their own, mounted from
scripts/coverage_sessions.py. The group `template`, in coverage-spy's own checkout only, is for work on coverage-spy.
"""

import sys
from pathlib import Path

import nox

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE / "scripts"))

import coverage_sessions  # noqa: E402

nox.needs_version = ">=2025.2.9"

coverage_sessions.mount()

if (HERE / "tests" / "chores.py").is_file():
    sys.path.insert(0, str(HERE / "tests"))
    import chores  # noqa: F401

if __name__ == "__main__":
    nox.main()
