"""`python -m coverage_tasks`."""

import sys

from .cli import main
from .streams import require_utf8

require_utf8()
sys.exit(main())
