"""The sessions of coverage-spy: for every task of the CLI an environment and the one line that runs it.

A noxfile mounts them by importing this module:

    sys.path.insert(0, "tools/coverage/scripts")
    import coverage_sessions

Nothing else of the host's noxfile is touched: no `nox.options`, no default session.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nox

SCRIPTS = Path(__file__).resolve().parent
sys.path.insert(0, str(SCRIPTS))

from coverage_tasks.cli import TASKS, Task  # noqa: E402
from coverage_tasks.project import EXAMPLE, takes_example  # noqa: E402

# nox gives a child 0.3 s after Ctrl-C; the services need longer to stop, and what they wrote has to be collected.
TIME_TO_STOP = 60.0


def requirements(root: Path) -> Iterator[Path]:
    """Yield the requirement files of a task that runs in `root`."""
    yield SCRIPTS / "requirements.txt"
    if takes_example(root):
        yield EXAMPLE / "requirements.txt"
        yield EXAMPLE / "tests" / "requirements.txt"


def session_for(task: Task) -> Callable[[nox.Session], None]:
    """Return the session that runs a task in COVERAGE_SPY_ROOT, by default in the directory of the noxfile."""

    def run(session: nox.Session) -> None:
        root = Path(os.environ.get("COVERAGE_SPY_ROOT") or ".").resolve()
        for file in requirements(root):
            session.install("-r", str(file))
        session.chdir(root)
        session.run(
            *("python", "-m", "coverage_tasks", task.name, *session.posargs),
            env={"PYTHONPATH": os.pathsep.join(filter(None, (str(SCRIPTS), os.environ.get("PYTHONPATH"))))},
            interrupt_timeout=TIME_TO_STOP,
            terminate_timeout=TIME_TO_STOP,
        )

    run.__doc__ = task.help + "."
    return run


for _task in TASKS:
    nox.session(name=_task.name, tags=[_task.group], default=False, reuse_venv=True)(session_for(_task))
