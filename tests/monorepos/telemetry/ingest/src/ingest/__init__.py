from importlib.metadata import version  # runs

__version__ = version("ingest")  # runs
