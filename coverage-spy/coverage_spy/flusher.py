"""The thread that empties the C tracer ten times a second. While it waits, it has no frame that anybody could see."""

from __future__ import annotations

import _thread
import sys

# `functools` would import collections, and `signal` enum.
from _functools import partial  # type: ignore[import-not-found]
from _signal import SIG_BLOCK, SIGURG, getsignal, pthread_sigmask, signal, valid_signals  # type: ignore[import-not-found]
from itertools import chain

from .children import stand_in

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

INTERVAL = 0.1  # seconds between two flushes: what a SIGKILL can take

_start_new_thread = _thread.start_new_thread  # bound before the tracer stands in for it


class Flusher:
    """The thread of one process. No thread survives a fork, and a lock stays as it was: a child makes another."""

    def __init__(self, flush: Callable[[bool], None], main_interpreter: bool) -> None:
        """flush: is called every INTERVAL seconds, with False."""
        self.flush = flush
        self.main_interpreter = main_interpreter
        self.thread = 0  # its identifier
        self.begun = _thread.allocate_lock()  # taken for good when it begins, and when it may not begin any more
        self.wake, self.asleep = _thread.allocate_lock(), _thread.allocate_lock()
        self.wake.acquire()
        self.asleep.acquire()

    def begin(self) -> None:
        """Start it, unless it runs or was ended. Raises RuntimeError when no thread can be started."""
        if self.begun.acquire(False):
            try:
                self._start()
            except BaseException:
                self.begun.release()
                raise

    def end(self) -> None:
        """Return when it doesn't run any more; from now on it can't begin."""
        if not self.begun.acquire(False):
            self.wake.release()
            self.asleep.acquire(timeout=1.0)

    def _start(self) -> None:
        wake, asleep = self.wake, self.asleep

        def block_signals() -> None:
            # What the application blocks in all of its threads must find none of ours that takes it.
            pthread_sigmask(SIG_BLOCK, valid_signals())

        # All of its waiting is done by functions of C, one after the other: a thread without a frame of Python is in
        # nobody's sys._current_frames().
        steps: list[Any] = [
            iter(block_signals, None),  # calls it until it returns None, that is once
            map(self.flush, iter(partial(wake.acquire, True, INTERVAL), True)),
            iter(asleep.release, None),
        ]
        # To end a thread glibc may have to load libgcc_s, and aborts when it can't: after a chroot, or without a free
        # descriptor. So it sleeps for good; but a sub-interpreter can't be ended before its threads are.
        if self.main_interpreter:
            steps.append(iter(wake.acquire, True))
        self.thread = _start_new_thread(any, (chain.from_iterable(steps),))


def hide_thread(thread: Callable[[], int]) -> None:
    """Take a thread out of sys._current_exceptions, which shows those that have no frame, too."""
    original = getattr(sys, "_current_exceptions", None)  # since 3.10
    if original is None:
        return

    def without_it() -> Any:
        found = original()
        found.pop(thread(), None)
        return found

    stand_in(sys, "_current_exceptions", lambda: without_it)


def is_main_interpreter() -> bool:
    """Return whether this is no sub-interpreter; to be asked on the main thread.

    Only the main one may set a signal handler, even to what it is.
    """
    handler = getsignal(SIGURG)
    try:
        if handler is not None:  # else C code has set one
            signal(SIGURG, handler)
    except ValueError:
        return False
    return True
