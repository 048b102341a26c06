"""The host side of coverage-spy, run as `python -m coverage_tasks TASK`."""

import sys

from .project import SPY, TOOL

# Behind everything else: a host's scripts/ may hold a coverage.py, and the directory of the spy, where the journal
# format is defined once for both sides, holds a sitecustomize.py that must not shadow anybody's.
_LAST = [str(TOOL / "scripts"), str(SPY)]
sys.path[:] = [*(place for place in sys.path if place not in _LAST), *_LAST]
