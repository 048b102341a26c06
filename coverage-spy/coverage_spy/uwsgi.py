"""uWSGI under the C tracer: it forks in C, without Python's lock and without what os.register_at_fork was given.

Its Python plugin calls `random.seed` first thing in every worker and mule (uwsgi_python_post_fork): that is where the
tracer begins anew. `uwsgi.post_fork_hook` is called there too, but uwsgidecorators overwrites it.
"""

from __future__ import annotations

import os
import sys

from .children import StandIn, stand_in

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_getpid = os.getpid


def will_fork(begun: Callable[[], None]) -> bool:
    """Return whether this process is uWSGI's and forks workers. `begun` is called in each of them.

    That is the master; without one it is the first worker, as long as it loads the application.
    """
    uwsgi: Any = sys.modules.get("uwsgi")
    if not hasattr(uwsgi, "masterpid") or uwsgi.masterpid() not in (0, _getpid()) or uwsgi.worker_id():
        return False
    stand_in_for_seed(begun)
    return True


def stand_in_for_seed(begun: Callable[[], None]) -> None:
    """random.seed calls `begun` first."""
    import random  # uWSGI imports it too, in each worker

    seed = random.seed
    if isinstance(seed, StandIn):
        return

    def begin_then_seed() -> Any:
        begun()
        return seed

    stand_in(random, "seed", begin_then_seed)
