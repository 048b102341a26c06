"""The measured services of one run: started, waited for, tested, stopped, and what they wrote collected."""

import os
import shutil
import subprocess
import time
from dataclasses import replace

from ..configuration import NAME as CONFIGURATION
from ..configuration import read_configuration
from ..errors import TaskError
from ..progress import Stage, say
from ..project import Project
from ..recorded.journals import find_journals
from ..recorded.marks import mark_startup
from ..recorded.sightings import NO_SIGNALS, Signals, add_sightings
from ..recorded.stack import FILE, Stack, read_stack, write_stack
from ..recorded.state import prepare_state
from ..settings import own_environment
from ..text import counted, listed
from .interrupts import finishing, undisturbed
from .readiness import why_not
from .runtime import runtime_named, runtime_of
from .waiting import Look, wait


def up(project: Project, append: bool = False, build: bool = False) -> None:
    """Start the project's services with coverage and wait until each is ready, or has failed.

    Images are those the project runs without coverage; `build` rebuilds them first. A new run begins with no journals
    but its own, unless `append`; starting a stack that is up keeps them. A service that fails is told of, and keeps
    nothing else from running: a moment later nobody would have waited for it. Raise TaskError when services cannot be
    started, or one neither gets ready nor fails; what did start is stopped again.
    """
    prepare_state(project)
    record, runs = read_stack(project.state), running(project)
    if runs and record and record.runtime != project.runtime:
        raise TaskError(f"a stack is up that COVERAGE_SPY_RUNTIME={record.runtime} started: run down-coverage first")
    if runs:
        say("the stack is up already: its journals are kept")
    if record and record.runtime == project.runtime:
        collect(project)  # from places that may be replaced
    record = read_stack(project.state)
    fresh = not append and not runs
    before = () if fresh else find_journals(project.journals)

    def give_up(failed: bool) -> None:
        if failed and read_stack(project.state) != record:  # else nothing was begun, and what ran goes on
            down(project, proven=False)

    with finishing(give_up):
        runtime_named(project.runtime).start(project, build, fresh)
        started = _present(project)
        found = _wait(project, started)
    try:
        collect(project)
    except TaskError as error:
        say(str(error))  # the containers keep what has no room here
    mark_startup(project, before)
    say(_readiness(started, found))


def wait_until_ready(project: Project) -> None:
    """Wait until every service runs (healthy, where it has a health check) or has finished with exit code 0.

    Raise TaskError, after printing its logs, when one failed; and when COVERAGE_SPY_TIMEOUT seconds have passed.
    """
    stack = _present(project)
    found = _wait(project, stack)
    if found.failures:
        raise TaskError(f"{_readiness(stack, found)}: correct it, or name it under may-end in {CONFIGURATION}")
    say(_readiness(stack, found))


def _wait(project: Project, stack: Stack) -> Look:
    runtime, conditions = runtime_of(stack), read_configuration(project.root).ready
    environment = _environment(project, stack)

    def look() -> Look:
        found = runtime.look(project, stack)
        failed = {failure.service for failure in found.failures}
        asked = {name: condition for name, condition in conditions.items() if name in stack.services.keys() - failed}
        # Whoever has not even started is not asked.
        answers = {} if found.awaited else {n: why_not(c, project.root, environment) for n, c in asked.items()}
        awaited = [*found.awaited, *(f"{name} {answer}" for name, answer in answers.items() if answer)]
        return found._replace(awaited=awaited, unchecked=[name for name in found.unchecked if name not in asked])

    with runtime.watched(stack):
        return wait(look)


def _readiness(stack: Stack, found: Look) -> str:
    """Return what it means that the services are ready, as a sentence."""
    services = len(stack.services)
    if found.failures:
        failed = [failure.service for failure in found.failures]
        are = "is" if len(failed) == 1 else "are"
        return f"{len(failed)} of {counted(services, 'service')} {are} not ready: {listed(failed)}"
    check = "health check" if stack.runtime == "compose" else "port"
    unchecked = len(found.unchecked)
    meaning = f"; {unchecked} of {services} have no {check}, so ready means started" if unchecked else ""
    return f"the services are ready{meaning}"


def require_command(project: Project, command: list[str]) -> None:
    """Raise TaskError with exit code 127, as a shell would, when there is no such command."""
    environment = own_environment(project, os.environ)
    if not shutil.which(str(project.root / command[0]) if "/" in command[0] else command[0], path=environment["PATH"]):
        raise TaskError(f"the test command {command[0]} does not exist: correct it, or install it", 127)


def run_command(project: Project, command: list[str]) -> int:
    """Run the user's test command in the project's root. Return its exit code, 128 + n when signal n ended it."""
    require_command(project, command)
    stack = _present(project)
    try:
        code = subprocess.run(command, cwd=project.root, env=_environment(project, stack), check=False).returncode
    except OSError as error:
        raise TaskError(f"the test command {command[0]} cannot be run ({error.strerror}): correct it", 126) from None
    return code if code >= 0 else 128 - code


def _environment(project: Project, stack: Stack) -> dict[str, str]:
    return {
        **own_environment(project, os.environ),
        "COVERAGE_SPY_RUNTIME": stack.runtime,
        "COVERAGE_SPY_STACK": str(project.state / FILE),
        **runtime_of(stack).environment(project, stack),
    }


def down(project: Project, proven: bool = True) -> bool:
    """Stop the services gracefully, collect their journals, remove containers and networks; volumes stay.

    `proven`: say what measuring changed. Return whether there was anything to stop.
    """
    with undisturbed():
        stack, ran = read_stack(project.state), running(project)
        if not stack or stack.ended:
            return False
        with Stage("stopping the services", aloud=ran):
            _look(project, stack)
            runtime_of(stack).stop(project, stack, lambda signals: collect(project, signals), proven and ran)
            write_stack(project.state, replace(read_stack(project.state) or stack, ended=time.time()))
        return ran


def running(project: Project) -> bool:
    """Return whether anything of a stack that was started and not stopped is still there."""
    stack = read_stack(project.state)
    return bool(stack and not stack.ended and runtime_of(stack).is_running(stack))


def collect(project: Project, signals: Signals = NO_SIGNALS) -> None:
    """Look at what runs, and fetch the journals that lie elsewhere.

    `signals` say when the places were told to stop, if they were.
    """
    stack = read_stack(project.state)
    if stack and not stack.ended:
        with Stage("looking at what runs"):
            _look(project, stack, signals)
            write_stack(project.state, runtime_of(stack).fetch(project, stack))


def discard(project: Project) -> None:
    """Remove what a stack that nobody stopped keeps outside the data directory. Raise TaskError while it is up."""
    if running(project):
        raise TaskError("a measured stack is up: run down-coverage first")
    stack = read_stack(project.state)
    if stack and not stack.ended and stack.runtime == project.runtime:
        runtime_of(stack).discard(stack)


def _look(project: Project, stack: Stack, signals: Signals = NO_SIGNALS) -> None:
    add_sightings(project, runtime_of(stack).places(stack, signals))


def _present(project: Project) -> Stack:
    stack = read_stack(project.state)
    if not stack or stack.ended or not runtime_of(stack).remains(stack):
        raise TaskError("no measured stack is up: run up-coverage first")
    return stack
