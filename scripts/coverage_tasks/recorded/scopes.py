"""What a process could record, by the settings in its receipt: the host's side of the spy's scope."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from fnmatch import translate
from typing import Any, NamedTuple, Self

from coverage_spy.scope import INSTALLED

LONGEST = 1 << 16  # characters of all paths; a receipt may hold megabytes


class Scope(NamedTuple):
    """COVERAGE_SOURCE and COVERAGE_OMIT as they were in force in a process."""

    source: tuple[str, ...]
    omit: tuple[str, ...]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self | None:
        """Return that of a receipt; None when it does not say it."""
        found = [settings.get(name) for name in cls._fields]
        if all(isinstance(each, list | tuple) and all(isinstance(path, str) for path in each) for each in found):
            with suppress(UnicodeEncodeError):
                scope = cls(*(tuple(map(_as_in_journals, each)) for each in found))  # type: ignore[arg-type]
                return scope if sum(map(len, (*scope.source, *scope.omit))) <= LONGEST else None
        return None

    def records(self, path: str, resolve: Callable[[str], str] = lambda path: path) -> bool:
        """Whether what runs of a file is recorded; `resolve` takes the links out of a path."""
        if self.omits(path):
            return False
        if not self.source:
            return not any(part in path for part in INSTALLED)
        return any(path == root or _is_inside(path, root) for root in {*self.source, *map(resolve, self.source)})

    def omits(self, path: str) -> bool:
        """Whether it is left out by COVERAGE_OMIT."""
        try:
            return any(re.match(translate(glob), path) for glob in self.omit)
        except re.error:
            return True


def _as_in_journals(path: str) -> str:
    """Return a path of a process that runs under LC_ALL=C as journals have it: in UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _is_inside(path: str, root: str) -> bool:
    root = root.rstrip("/") + "/"
    return path.startswith(root) and not any(part in path[len(root) - 1 :] for part in INSTALLED)
