"""Progress of long work: on a terminal a line that is rewritten and goes away, elsewhere a plain line now and then."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TextIO

from .text import counted

TICK = 0.2  # seconds from one drawing to the next
PATIENCE = 0.5  # seconds; what is done sooner is not drawn
FIRST_LINE = 5.0  # seconds until the first plain line; the next one takes twice as long, and so on
COLUMNS = 80  # where the terminal does not tell

_clock = time.monotonic
_open: list["Stage"] = []
_line = threading.RLock()
_drawn = False


class Stage:
    """Long work, entered as a context: what it is, and `done` `of` how many, 0 when nobody knows.

    Stages may lie inside each other; the innermost one is shown. With -q nothing is. `count` is asked where nobody
    calls `advance`, and `aloud` says at once what begins.
    """

    def __init__(
        self, text: str, of: int = 0, noun: str = "file", count: Callable[[], int] | None = None, aloud: bool = False
    ) -> None:
        """Begin with `__enter__`."""
        self.text, self.of, self.noun, self.aloud = text, of, noun, aloud
        self.done = 0
        self._count = count
        self._next_line = FIRST_LINE
        self._ended, self._turn = threading.Event(), threading.Lock()

    def __enter__(self) -> "Stage":
        self._began = _clock()
        if self.aloud:
            say(self.text)
        _open.append(self)
        if not is_quiet():
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with self._turn:
            self._ended.set()
        _open.remove(self)
        with hidden():
            pass
        if kind is None and self._seconds > FIRST_LINE and not _is_terminal():
            say(f"{_plain(self.text)}: {', '.join([*self._how_far(), f'done after {self._seconds:.0f} s'])}")

    def fitted(self, columns: float = float("inf")) -> str:
        """Fit into so many columns: the text gives way to the numbers."""
        numbers = f": {', '.join([*self._how_far(), f'{self._seconds:.0f} s'])}"
        text, room = _plain(self.text), columns - len(numbers)
        return (text if len(text) <= room else f"{text[: max(int(room) - 3, 0)]}...") + numbers

    @property
    def _seconds(self) -> float:
        return _clock() - self._began

    def _how_far(self) -> Iterator[str]:
        done = min(self._count(), self.of) if self._count else self.done
        if self.of:
            yield f"{done} of {counted(self.of, self.noun)}"
        elif done:
            yield counted(done, self.noun)

    def _watch(self) -> None:
        """Show the stage until it has ended, from a thread: what takes long is often a single call."""
        while not self._ended.wait(TICK):
            self._look()

    def _look(self) -> None:
        """Show how far it is, where it is time for that."""
        with self._turn:
            if self._ended.is_set() or _open[-1:] != [self]:
                return
            if _is_terminal():
                if self._seconds > PATIENCE:
                    self._draw()
            elif self._seconds > self._next_line:
                self._next_line *= 2
                say(self.fitted())

    def _draw(self) -> None:
        global _drawn
        with _line, suppress(OSError):
            columns = os.get_terminal_size(sys.stderr.fileno()).columns or COLUMNS
            sys.stderr.write(f"\r{PREFIX}{self.fitted(columns - len(PREFIX) - 1)}\x1b[K")
            sys.stderr.flush()
            _drawn = True


def advance() -> None:
    """Count one more in the innermost stage, if there is any."""
    if _open:
        _open[-1].done += 1


@contextmanager
def hidden() -> Iterator[None]:
    """Keep the line away from what the body writes to the terminal."""
    global _drawn
    with _line:
        if _drawn:
            _drawn = False
            with suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
        yield


class Handler(logging.StreamHandler[TextIO]):
    """Writes log records to stderr, where the line of a stage is not in their way."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        with hidden():
            super().emit(record)


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _plain(text: str) -> str:
    """Put a question mark for each character that may be none, or two columns wide: names are anybody's."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)


PREFIX = "coverage-spy: "  # of every line on stderr

_log = logging.getLogger("coverage-spy")


def say(text: str) -> None:
    """Show a line of progress on stderr, unless the task was started with -q."""
    _log.info("%s", text)


def is_quiet() -> bool:
    """Return whether the task was started with -q."""
    return not _log.isEnabledFor(logging.INFO)
