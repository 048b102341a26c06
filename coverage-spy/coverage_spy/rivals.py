"""Trace functions of the application's own: debuggers and other coverage. They take the tracer's place for a while.

To clear the trace function, as they do in the end, means to clear theirs: the tracer comes back.
"""

from __future__ import annotations

import sys
from itertools import repeat

from .children import stand_in
from .receipt import arguments_of

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

SAYS_RESUME = (3, 11)  # since then the tracer takes a frame in the midst of a call without arguments for a new one


def stand_in_for_gettrace(is_ours: Callable[[Any], bool]) -> None:
    """sys.gettrace doesn't show the tracer: some look for a debugger there, and do less when they find one."""
    gettrace = sys.gettrace
    return_none: Callable[[], None] = [].clear  # a function of C too, for profilers

    stand_in(sys, "gettrace", lambda: return_none if is_ours(gettrace()) else gettrace)


def stand_in_for_settrace(
    is_ours: Callable[[Any], bool], takes: Callable[[], None], returns: Callable[[], None]
) -> None:
    """Have `takes` called when the application sets a function of its own, and `returns` when it clears that.

    returns: brings the tracer back to this thread.
    """
    settrace, gettrace = sys.settrace, sys.gettrace

    def settrace_noticed(*args: Any, **options: Any) -> None:
        if len(args) != 1 or args[0] is not None or options:
            if not all(map(is_ours, args)):
                takes()
            settrace(*args, **options)  # refuses what is wrong
        elif not is_ours(gettrace()):
            settrace(None)
            returns()

    stand_in(sys, "settrace", lambda: settrace_noticed)


def start_amid(tracer: Any, decide: Callable[[str, FrameType], Any], settrace: Callable[[Any], None]) -> None:
    """Start a new tracer on this thread, in the frames that run there too.

    It learns of them as if each was called now. No line may run between two of these calls, and no file be decided on:
    the tracer would take that for a line of the frame that it has heard of last.

    settrace: the original.
    """
    frames = frames_of(traced_frame(sys._getframe()) if in_callback(settrace) else sys._getframe())
    shared = tracer.should_trace_cache
    tracer.should_trace_cache = {frame.f_code.co_filename: decide(frame.f_code.co_filename, frame) for frame in frames}
    tracer.start()
    list(map(tracer, frames, repeat("call"), repeat(None)))
    tracer.should_trace_cache = shared


def frames_of(frame: FrameType | None) -> list[FrameType]:
    """Return a frame and all that called it, the outermost first."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def in_callback(settrace: Callable[[Any], None]) -> bool:
    """Return whether a trace function calls us: then nothing that runs is traced, and the tracer hears of no return."""
    heard: list[str] = []

    def hear(_frame: FrameType, event: str, _argument: Any) -> None:
        heard.append(event)

    settrace(hear)
    nothing()
    settrace(None)
    return not heard


def traced_frame(frame: FrameType) -> FrameType | None:
    """Return the frame that a trace function was called for; None when that can't be told."""
    caller: FrameType | None = frame.f_back
    while caller is not None:
        *_, traced, event, _argument = [None, None, None, *list(arguments_of(frame))]
        if isinstance(event, str) and id(traced) == id(caller):
            return caller
        frame, caller = caller, caller.f_back
    return None


def nothing() -> None:
    """Be called, where somebody listens."""
