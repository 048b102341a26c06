"""The part of coverage-spy that runs inside measured processes. `start` is all of its interface.

This module, `environment`, `settings`, `refusals` and `receipt` parse on every Python from 2.7 on, and below 3.8
nothing else is imported.
"""

import os
import sys

OLDEST = (3, 8)


def start(spy, environ=os.environ):
    """Measure this process as `environ` asks, or leave a receipt that says why it can't be measured.

    spy: the directory that sitecustomize.py was found in, as it stands on sys.path; None when a .pth starts the spy,
    which reaches children without any variable.
    """
    from .receipt import refuse
    from .refusals import INTERPRETER, START, described, refusal
    from .settings import Settings

    settings = Settings(environ)
    if sys.version_info < OLDEST or "__pypy__" in sys.builtin_module_names:
        settings.refusals.append(refusal(INTERPRETER))
        refuse(settings)
        if spy:
            from .environment import hide

            hide(spy)
    else:
        try:
            from .process import measure

            measure(settings, spy)
        except Exception as error:
            settings.refusals.append(refusal(START, described(error)))
            refuse(settings)
    disappear()


def disappear():
    """Take this package out of the application's sight.

    What runs on keeps its globals alive, and at the end of the interpreter it keeps them longer than modules do.
    """
    modules, package = sys.modules, __name__  # Python 2 empties a module that is deleted, this one too
    for name in [name for name in modules if name.partition(".")[0] == package]:
        del modules[name]
