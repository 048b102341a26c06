"""Ctrl-C and SIGTERM: the first is heard, and whatever follows it leaves nothing behind."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
Handler = Callable[[int, FrameType | None], Any] | int | None


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hear no interrupt within the block."""
    before = [signal.getsignal(number) for number in SIGNALS]
    _ignore()
    try:
        yield
    finally:
        _restore(before)


@contextmanager
def finishing(finish: Callable[[bool], object]) -> Iterator[None]:
    """Call `finish` when the block ends, whatever ends it, with whether it failed.

    The block hears one interrupt, and `finish` none: there is no moment between them at which another one gets through.
    """
    before = [signal.getsignal(number) for number in SIGNALS]
    failed = True
    for number, handler in zip(SIGNALS, before, strict=True):
        if callable(handler):
            signal.signal(number, _only_the_first(handler))
    try:
        try:
            yield
            failed = False
        finally:
            _ignore()  # an interrupt before this has done the same
    finally:
        try:
            finish(failed)
        finally:
            _restore(before)


def _only_the_first(handler: Callable[[int, FrameType | None], Any]) -> Handler:
    def hear(number: int, frame: FrameType | None) -> None:
        _ignore()
        handler(number, frame)

    return hear


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _restore(handlers: list[Handler]) -> None:
    for number, handler in zip(SIGNALS, handlers, strict=True):
        if handler is not None:  # one that was not set by Python cannot be
            signal.signal(number, handler)
