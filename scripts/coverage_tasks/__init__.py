"""The host side of coverage-spy, run as `python -m coverage_tasks TASK`."""

import sys
from collections.abc import Callable
from importlib.machinery import FileFinder, SourceFileLoader
from types import CodeType

from .project import SPY, TOOL

# Behind everything else: a host's scripts/ may hold a coverage.py, and the directory of the spy, where the journal
# format is defined once for both sides, holds a sitecustomize.py that must not shadow anybody's.
_LAST = [str(TOOL / "scripts"), str(SPY)]
sys.path[:] = [*(place for place in sys.path if place not in _LAST), *_LAST]


class _Source(SourceFileLoader):
    """Loads the source itself: bytecode in the directory of the spy is not ours, whoever put it there."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _spy_only(path: str) -> FileFinder:
    if path != str(SPY) and not path.startswith(f"{SPY}/"):
        raise ImportError(path)
    return FileFinder(path, (_Source, [".py"]))


_hook: Callable[[str], FileFinder] = _spy_only
sys.path_hooks.insert(0, _hook)
for _place in [place for place in sys.path_importer_cache if place.startswith(str(SPY))]:
    del sys.path_importer_cache[_place]
