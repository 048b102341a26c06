"""Start coverage-spy when COVERAGE_ENABLE says so, then run the sitecustomize that this one stands in front of.

Python's site module imports this file at every start of an interpreter whose PYTHONPATH leads here. It parses on
every Python from 2.7 on, and prints nothing.
"""

import os
import sys


def _leave_path(spy):
    """Take our directory from sys.path, where nothing of ours is to be found by the application."""
    sys.path[:] = [entry for entry in sys.path if not entry or os.path.abspath(entry) != spy]


def _run_shadowed():
    """Run the next sitecustomize on sys.path and leave it in sys.modules, as if we had not been there.

    Its exceptions go to site, which reports them as ever. Where there is none, the ImportError that site expects to
    see in this case, and passes over, is raised: then there is no `sitecustomize` in sys.modules either.
    """
    if sys.version_info >= (3, 5):
        from importlib.machinery import PathFinder
        from importlib.util import module_from_spec

        spec = PathFinder.find_spec("sitecustomize")
        if spec is not None and spec.loader is not None:
            module = sys.modules["sitecustomize"] = module_from_spec(spec)
            spec.loader.exec_module(module)
            return
    else:
        import imp

        try:
            found = imp.find_module("sitecustomize")
        except ImportError:
            found = None
        if found is not None:
            del sys.modules["sitecustomize"]
            try:
                imp.load_module("sitecustomize", *found)
            finally:
                if found[0]:
                    found[0].close()
            return
    absent = ImportError("No module named sitecustomize")
    absent.name = "sitecustomize"
    raise absent


_spy = os.path.dirname(os.path.abspath(__file__))
if os.environ.get("COVERAGE_ENABLE", "").strip().lower() in ("true", "1", "yes", "on"):
    try:
        from coverage_spy import start

        start(_spy)
    except Exception:  # noqa: S110 - whatever is wrong with the spy, the application starts; the host misses a receipt
        pass
_leave_path(_spy)
_run_shadowed()
