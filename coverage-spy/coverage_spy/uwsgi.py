"""uWSGI under the C tracer: it forks and starts threads in C, where the functions that we stand in for are not called.

But its Python plugin calls two others first thing, and these we stand in for: `random.seed` in every worker and mule
(uwsgi_python_post_fork), `threading.current_thread` in every thread (uwsgi_python_init_thread). It would call its
`post_fork_hook` too, but uwsgidecorators overwrites that.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from .children import StandIn, call_first

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_getpid = os.getpid


def follow(worker_begins: Callable[[], None], thread_begins: Callable[[], None]) -> bool:
    """Have these called in each worker or mule, and in each thread of one, that uWSGI makes.

    Returns whether this process forks workers: the master does, and without one the first worker as long as it loads
    the application.
    """
    uwsgi: Any = sys.modules.get("uwsgi")
    if not hasattr(uwsgi, "masterpid"):
        return False
    if uwsgi.cores > 1:  # threads in a worker
        import_and_call_first("threading", "current_thread", thread_begins)
    if uwsgi.masterpid() not in (0, _getpid()) or uwsgi.worker_id():
        return False
    import_and_call_first("random", "seed", worker_begins)
    return True


def import_and_call_first(module_name: str, name: str, function: Callable[[], None]) -> None:
    """Stand in for a function of a module that uWSGI would import otherwise, once."""
    module = import_module(module_name)
    if not isinstance(getattr(module, name), StandIn):
        call_first(module, name, function)
