from acme.geo.mercator import project  # runs

__all__ = ["project"]  # runs
