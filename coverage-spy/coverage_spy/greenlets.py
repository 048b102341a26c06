"""Greenlets under the C tracer: one tracer for each.

A tracer keeps the stack of the frames that it is in, and a switch of greenlets changes the stack under it: it would
take the lines of one file for those of another. Its own answer, `concur_id_func`, has to be there before the first
frame, and keeps a kilobyte for each greenlet that ever was.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def follow(new_tracer: Callable[[], Any], gettrace: Callable[[], Any]) -> Callable[[Any], None] | None:
    """Give each greenlet of this thread a tracer of its own; the one that runs keeps the tracer of the thread.

    Returns None as long as the application's greenlet module is not there, or half imported, else what is to be called
    with a tracer that has been started anew on this thread. gettrace: the original.
    """
    greenlet = sys.modules.get("greenlet")
    if greenlet is None or not hasattr(greenlet, "settrace"):
        return None
    current = gettrace()
    kind = type(new_tracer())
    from weakref import WeakKeyDictionary  # greenlet's tracers go when it does

    tracers: Any = WeakKeyDictionary()
    if isinstance(current, kind):
        tracers[greenlet.getcurrent()] = current

    def switched(event: str, origin_and_target: Any) -> None:
        current = gettrace()
        if isinstance(current, kind):  # else a debugger of the application's has the thread
            target = origin_and_target[1]
            tracer = tracers.get(target)
            if tracer is None:
                tracer = tracers[target] = new_tracer()
            current.stop()  # one that is freed while it is started ends the tracing of the thread
            tracer.start()
        else:  # these run without being heard, and get tracers that know of nothing
            for one in origin_and_target:
                drop(one)
        if before is not None:
            before(event, origin_and_target)

    def restarted(tracer: Any) -> None:
        drop(greenlet.getcurrent())
        tracers[greenlet.getcurrent()] = tracer

    def drop(one: Any) -> None:
        missed = tracers.pop(one, None)
        if missed is not None:
            missed.stop()

    before = greenlet.settrace(switched)
    return restarted
