"""Which code is measured: from a code object's file name to the absolute name in the journal, or to nothing."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from types import CodeType

    from .settings import Settings

LIMIT = 50_000  # names remembered: generated file names never end
LIMIT_OF_CODE = 2_000  # code objects remembered for the directory that their relative name began in
LONGEST = 4096  # bytes of a name; Linux opens no longer one (PATH_MAX)
INSTALLED = ("/site-packages/", "/dist-packages/")
SCRIPTS = os.path.join(sys.prefix, "bin") + "/"  # an installed package's start there
STANDARD_LIBRARY = os.path.dirname(os.__file__) + "/"
SPY = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + "/"

_getcwd = os.getcwd
_join = os.path.join
_normpath = os.path.normpath
_stat = os.stat


class Scope:
    """Decide by file name.

    Without COVERAGE_SOURCE everything is measured but the standard library and installed packages. With it, what lies
    below one of its paths is; the standard library and installed packages only when the path itself leads into them, so
    that an interpreter or a virtual environment inside the source root stays out. COVERAGE_OMIT takes away from both.
    """

    def __init__(self, settings: Settings) -> None:
        self.roots = [root.rstrip("/") + "/" for root in settings.source]
        self.files = set(settings.source)
        self.known: dict[str, str | None] = {}
        self.relative: dict[int, tuple[str | None, CodeType]] = {}
        self.omit = None
        if settings.omit:
            import re  # only on demand: these two cost a start of the interpreter 3 ms
            from fnmatch import translate

            self.omit = re.compile("|".join(map(translate, settings.omit))).match

    def measured(self, filename: str) -> str | None:
        """Return the absolute, normalised name under which `filename` is recorded; None when it isn't measured.

        A relative name is resolved against the working directory at first sight. Names that begin with "<" are no
        files.
        """
        try:
            return self.known[filename]
        except KeyError:
            pass
        if filename[:1] in ("<", ""):
            return None
        path = _normpath(_join(_getcwd(), filename)) if filename[0] != "/" else _normpath(filename)
        name = path if self._wanted(path) else None
        if len(self.known) < LIMIT:
            self.known[filename] = name
        return name

    def measured_code(self, code: CodeType) -> str | None:
        """Return the same for a code object: of two files that share a relative name each keeps its own.

        What is defined in a file begins where the file does, whatever the working directory is when it is called.
        """
        filename = code.co_filename
        if filename[:1] in ("/", "<", "") or filename in self.known:
            return self.measured(filename)
        found = self.relative.get(id(code))
        if found is not None:
            return found[0]
        path = _normpath(_join(_getcwd(), filename))
        if len(self.relative) >= LIMIT_OF_CODE or not _exists(path):
            return self.measured(filename)
        name, ahead = path if self._wanted(path) else None, [code]
        while ahead:
            inner = ahead.pop()
            self.relative[id(inner)] = name, inner  # kept, so that no other code object gets its id
            ahead += [constant for constant in inner.co_consts if type(constant) is type(code)]
        return name

    def _wanted(self, path: str) -> bool:
        if path.startswith(SPY) or len(path.encode("utf-8", "surrogateescape")) > LONGEST:
            return False
        if self.omit is not None and self.omit(path):
            return False
        if not self.roots:
            return not path.startswith(STANDARD_LIBRARY) and not any(part in path for part in INSTALLED)
        if path in self.files:
            return True
        return any(path.startswith(root) and not self._installed(path, root) for root in self.roots)

    def _installed(self, path: str, root: str) -> bool:
        inside = path[len(root) - 1 :]
        return any(part in inside for part in INSTALLED) or any(
            len(root) < len(place) and path.startswith(place) for place in (SCRIPTS, STANDARD_LIBRARY)
        )


def _exists(path: str) -> bool:
    try:
        _stat(path)
    except OSError:
        return False
    return True
