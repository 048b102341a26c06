"""The sessions of coverage-spy: for every task of the CLI an environment and the one line that runs it.

A noxfile mounts them at its end:

    sys.path.append("tools/coverage/scripts")
    import coverage_sessions
    coverage_sessions.mount()

Nothing else of the host's noxfile is touched: no `nox.options`, no default session, no session of its own.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nox

SCRIPTS = Path(__file__).resolve().parent
if str(SCRIPTS) not in sys.path:
    sys.path.append(str(SCRIPTS))  # never first: a host's scripts/ may hold modules of any name

from coverage_tasks.project import EXAMPLE, root_in  # noqa: E402
from coverage_tasks.settings import JUST, USAGE  # noqa: E402
from coverage_tasks.tasks import TASKS  # noqa: E402
from coverage_tasks.tasks.task import Task  # noqa: E402

# nox gives a child 0.3 s after Ctrl-C; the services need longer to stop, and what they wrote has to be collected.
TIME_TO_STOP = 60.0


def requirements(root: Path) -> Iterator[Path]:
    """Yield the requirement files of a task that runs in `root`."""
    yield SCRIPTS / "requirements.txt"
    if root_in(root) == EXAMPLE:
        yield EXAMPLE / "requirements.txt"
        yield EXAMPLE / "tests" / "requirements.txt"


def session_for(task: Task) -> Callable[[nox.Session], None]:
    """Return the session that runs a task in COVERAGE_SPY_ROOT, by default in the directory of the noxfile.

    A task that needs no project needs no packages either, and its paths are those of the user's shell.
    """

    def run(session: nox.Session) -> None:
        recipe = os.environ.get(JUST)
        if task.needs_project:
            root = Path(os.environ.get("COVERAGE_SPY_ROOT") or ".").resolve()
            for file in requirements(root):
                session.install("-r", str(file))
            session.chdir(root)
        else:
            session.chdir(session.invoked_from)
        session.run(
            # -P, because a module in the directory may have the name of one that is needed here.
            *("python", "-P", "-m", "coverage_tasks", task.name, *session.posargs),
            env={
                "PYTHONPATH": os.pathsep.join(filter(None, (str(SCRIPTS), os.environ.get("PYTHONPATH")))),
                USAGE: f"{recipe} {task.name}" if recipe else f"nox -s {session.name} --",
            },
            interrupt_timeout=TIME_TO_STOP,
            terminate_timeout=TIME_TO_STOP,
        )

    run.__doc__ = task.help + "."
    return run


def mount() -> None:
    """Register a session for every task, at the end of a noxfile.

    Of two sessions with one name nox keeps the later one, newer releases warn, and it is to become an error
    (wntrblm/nox#988). So a name that the noxfile has already stays the noxfile's, and the task has `spy-` before its
    name. A call, because nox runs a noxfile twice that is started as a script, and a module is imported once.
    """
    taken = {name for name, found in nox.registry.get().items() if found.func.__module__ != __name__}
    for task in TASKS:
        run, name = session_for(task), task.name
        if name in taken:
            run.__doc__ = f"{task.help} ({name} is the noxfile's own session)."
            name = f"spy-{name}"
        # An environment whatever `nox.options.default_venv_backend` says.
        nox.session(name=name, tags=[task.group], default=False, reuse_venv=True, venv_backend="uv|virtualenv")(run)
