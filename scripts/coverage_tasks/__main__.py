"""`python -m coverage_tasks`."""

import sys

from .cli import main

sys.exit(main())
