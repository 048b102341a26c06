"""The engine for CPython 3.12 and newer: sys.monitoring (PEP 669), each line reported once, then switched off."""

from __future__ import annotations

import atexit
import sys

from .engine import Unavailable
from .journal import Full
from .receipt import raise_foreign
from .refusals import TOOL_IDS as NO_TOOL_ID

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from .journal import Journal
    from .scope import Scope

NAME = "coverage-spy"
MISSED = 50_000  # lines that wait because the recursion is too deep, or because there is no journal for them
TOOL_IDS = (
    4,
    3,
    5,
    2,
    1,
    0,
)  # those without a name in PEP 669 first: debuggers, coverage and profilers ask for theirs


class Monitor:
    """Lines of all threads, written through to the journal as they run for the first time."""

    name = "monitor"

    def __init__(self, scope: Scope) -> None:
        """Take a tool id. Raises Unavailable when there is none left."""
        self.monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self.measured, self.known = scope.measured_code, scope.known
        self.missed: dict[tuple[int, int], tuple[CodeType, int]] = {}  # a code object is dear to hash
        self.dropped = False  # whether there were more
        self.register_at_exit = atexit.register
        self.tool = self._take_tool_id()

    def start(self, journal: Journal) -> None:
        """Record every line that runs from here on."""
        self.journal = journal
        events, register = self.monitoring.events, self.monitoring.register_callback
        register(self.tool, events.PY_START, self._begin_code)
        register(self.tool, events.LINE, self._run_line)
        self.monitoring.set_events(self.tool, events.PY_START)

    def forked(self) -> None:
        """Go on in a journal of the child's own. What waits is the parent's."""
        self.missed.clear()
        self.dropped = False
        try:
            self.journal.forked()
        except Full:
            pass  # tried again with the first line

    def flush(self) -> None:
        """Everything is written already, but for lines that wait."""
        try:
            self.journal.retry()
            self._record_missed()
        except Exception as error:
            raise_foreign(error)

    def leave(self) -> None:
        """The same; there is no need for END."""
        self.flush()

    def _begin_code(self, code: CodeType, _offset: int) -> Any:
        try:
            wanted = self.measured(code) is not None
        except RecursionError:  # too deep to ask; a look into the dict needs no frame
            wanted = self.known.get(code.co_filename, code) is not None
        except Exception as error:
            raise_foreign(error)
            return None
        if wanted:
            self.monitoring.set_local_events(self.tool, code, self.monitoring.events.LINE)
        return self.monitoring.DISABLE

    def _run_line(self, code: CodeType, line: int) -> Any:
        try:
            self._record(code, line)
            if self.missed:
                self._record_missed()
        except RecursionError:  # what runs near the limit only is stored later, at the end if need be
            self._wait(code, line)
            return None
        except Full:  # so is what runs once only
            return self.monitoring.DISABLE if self._wait(code, line) else None
        except Exception as error:
            raise_foreign(error)
            return None
        return self.monitoring.DISABLE

    def _wait(self, code: CodeType, line: int) -> bool:
        """Keep a line for later. Returns False when there are too many, and it has to come again."""
        if not self.missed:
            self.register_at_exit(self.flush)
        if len(self.missed) < MISSED:
            self.missed[id(code), line] = code, line
            return True
        self.dropped = True
        return False

    def _record_missed(self) -> None:
        for key, (code, line) in self.missed.copy().items():
            self._record(code, line)
            self.missed.pop(key, None)
        if not self.dropped:
            self.journal.settle()

    def _record(self, code: CodeType, line: int) -> None:
        name = self.measured(code)
        if name is not None:
            self.journal.line(name, line)

    def _take_tool_id(self) -> int:
        for tool in TOOL_IDS:
            if self.monitoring.get_tool(tool) is None:
                self.monitoring.use_tool_id(tool, NAME)
                return tool
        raise Unavailable(NO_TOOL_ID)
