"""The part of coverage-spy that runs inside measured processes. `start` is all of its interface.

This module, `settings` and `receipt` parse on every Python from 2.7 on; nothing else is imported below 3.8.
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
    from .settings import Settings

    settings = Settings(environ)
    if sys.version_info < OLDEST or "__pypy__" in sys.builtin_module_names:
        settings.refusals.append("no engine measures this interpreter: CPython 3.8 or newer is needed")
        refuse(settings)
    else:
        try:
            from .process import measure

            measure(settings, spy)
        except Exception as error:
            settings.refusals.append("the spy could not start: %s: %s" % (type(error).__name__, error))
            refuse(settings)
    disappear()


def disappear():
    """Take this package out of the application's sight."""
    # What runs on keeps its globals alive, and at the end of the interpreter it keeps
    # them longer than the modules in here do.
    for name in [name for name in sys.modules if name.partition(".")[0] == __name__]:
        del sys.modules[name]
