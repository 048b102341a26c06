from .amount import Amount  # runs

__all__ = ["Amount"]  # runs
