"""The host side of coverage-spy, run as `python -m coverage_tasks TASK`."""

import sys

from .project import SPY

# The journal format is defined once, beside the spy that writes it. Appended, never first: the spy's
# directory holds a sitecustomize.py that must not shadow anybody's.
if str(SPY) not in sys.path:
    sys.path.append(str(SPY))
