"""Measuring this process: an engine, a journal, and what it takes to follow its children."""

from __future__ import annotations

from .children import NoVariables, Variables, follow
from .engine import Unavailable, choose
from .journal import Full, Journal
from .receipt import describe, refuse
from .scope import Scope

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from .engine import Engine
    from .settings import Settings


def measure(settings: Settings, spy: str | None) -> None:
    """Start the engine for this interpreter and these settings. Where none works, a receipt says why.

    Children are followed all the same: they may run another interpreter. spy: as for `start`.
    """
    variables = Variables(spy, settings.own) if spy else NoVariables()
    engine: Engine | None = None
    try:
        engine = choose(Scope(settings), settings.branch)
        engine.start(Journal(describe(settings, engine.name)))
    except Unavailable as error:
        settings.refusals.append(error.refusal)
        refuse(settings)
    except Full:
        engine = None  # not one byte can be written: the host sees a service without a receipt
    follow(variables, engine)
    variables.hide()
