"""Starting the spy from coverage_spy.pth in a site directory: no variable is changed and no module is shadowed.

The line leaves a process alone in which the spy's directory was searched before. There the spy has started from
another site directory, or PYTHONPATH leads to it and sitecustomize starts it.

Parses on every Python from 2.7 on.
"""

import os

from . import disappear, start
from .environment import ENABLE, MARK, own_variables
from .settings import enabled


def begin(given):
    """Measure this process as the line asks, or else leave no trace.

    given: the line's own variables, which no cleared environment can take away. An environment that has the switch
    overrides them one by one, and is hidden and passed on to children as it is without a .pth.
    """
    switched = ENABLE in os.environ
    environ = own_variables(given)
    if switched:
        environ.update(own_variables(dict({"COVERAGE_FILE": environ[MARK]}, **os.environ)))
    if enabled(environ):
        start(os.path.dirname(os.path.dirname(os.path.abspath(__file__))) if switched else None, environ)
    else:
        disappear()
