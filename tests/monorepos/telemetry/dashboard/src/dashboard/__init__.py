"""Shows what was measured."""

__version__ = "2.1.0"  # runs
