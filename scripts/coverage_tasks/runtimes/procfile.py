"""The services of a Procfile: honcho reads it, every process is started here in a session of its own.

honcho itself stops everything once one process ends, which a worker that is killed while it is measured must not do.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from honcho import environ as honcho

from ..configuration import LEFT_OUT, read_configuration
from ..errors import TaskError
from ..files import ANYWHERE, file_name, read_end, read_text
from ..injection.payload import fill_payload, needs_tracer, tracers_of
from ..injection.spy import COMPILE, PASSED_ON, key_of, new_copy, variables
from ..project import SPY, Project
from ..recorded.sightings import Place, Signals
from ..recorded.stack import ServiceRecord, Stack, read_stack, write_stack
from ..recorded.state import empty, open_journals
from ..settings import is_true, own_environment
from ..sources.images import OLDEST_PYTHON, Interpreter
from .ps import programs, sightings
from .readiness import accepts
from .waiting import Failure, Look, say_what_is_measured

END_OF_LOG = 1 << 16  # bytes that hold the last lines of a service
FIRST_PORT = 5000  # honcho's
GRACE_SECONDS = 10.0  # what `docker stop` gives
POLL_SECONDS = 0.05
HAS_PROC = Path("/proc/self/stat").exists()  # elsewhere there is ps, which small images of Linux lack

_LISTENS = re.compile(r"(?:--port|-p|--bind|-b|runserver)[ =](?:[\w.:\[\]]*:)?(\d{2,5})(?![\d.:])")
_LISTENS_ON_PORT = re.compile(r"\$PORT\b|\$\{PORT\b")


@dataclass(frozen=True)
class Process:
    """One line of the Procfile with the environment and the TCP ports it will have."""

    name: str
    command: str
    environment: Mapping[str, str]
    ports: tuple[int, ...]


@dataclass(frozen=True)
class Started:
    """A process that was started: `born` tells it from a later process with the same id."""

    pid: int
    born: str


_DESCRIBE = """
import importlib.machinery, json, platform, sys
print(json.dumps([platform.python_implementation(), "%d.%d" % sys.version_info[:2],
                  importlib.machinery.EXTENSION_SUFFIXES[0], platform.libc_ver()[0] or "musl"]))
"""


def problem() -> str:
    """Return "": processes can run wherever the tasks do."""
    return ""


def start(project: Project, _build: bool, fresh: bool) -> None:
    """Start the processes, the output of each going to a file of its own. There is nothing to build."""
    stack = read_stack(project.state)
    if stack and not stack.ended and stack.runtime == "procfile" and is_running(stack):
        raise TaskError("the processes of the Procfile are running already: run down-coverage first")
    configuration = read_configuration(project.root)
    processes = read_processes(project, os.environ)
    configuration.require_services([process.name for process in processes], project)
    for process in processes:
        for port in process.ports:
            if accepts(port):
                raise TaskError(f"port {port} of {process.name} is taken: stop what listens there")
    host = _prepare_host(project, processes[0].environment)
    if fresh:
        empty(project)
    reasons = {p.name: LEFT_OUT if p.name in configuration.leave_out else host.reason for p in processes}
    versions = (host.version,) if host.version else ()
    records = {
        process.name: ServiceRecord(not reasons[process.name], reasons[process.name], versions, ports=process.ports)
        for process in processes
    }
    stack = Stack("procfile", f"{project.root.name}-coverage", on_host=True, services=records)
    say_what_is_measured(reasons)
    open_journals(project, stack.measured)
    for process in processes:
        environment = process.environment
        if process.name not in configuration.leave_out:
            sources = (path for path, _ in configuration.sources.get(process.name, ()))
            environment = with_spy(process, project, host.spy, sources)
        started = run(process, environment, project.root, log_file(project, process.name))
        stack = stack.having(process.name, pid=started.pid, born=started.born)
        # After each one, so that `down` finds every process even when the next does not start.
        write_stack(project.state, stack)


def look(project: Project, stack: Stack) -> Look:
    """Look at each process once."""
    may_end = read_configuration(project.root).may_end
    awaited, failures = [], []
    for name in _started(stack):
        service = _ended(stack, name)
        if service.exit_code is not None:
            if service.exit_code and name not in may_end:
                log = read_end(log_file(project, name), END_OF_LOG).decode(errors="replace")
                code = f" (exit code {service.exit_code})" * (service.exit_code > 0)
                failures.append(Failure(name, f"has died{code}", log, name))
        elif silent := [str(port) for port in service.ports if not accepts(port)]:
            awaited.append(f"{name} does not listen on port {' and '.join(silent)}")
    write_stack(project.state, stack)
    unchecked = [name for name, service in stack.services.items() if not service.ports and service.exit_code is None]
    return Look(awaited, {}, failures, unchecked)  # nothing starts them again


def _ended(stack: Stack, name: str) -> ServiceRecord:
    """Return the record of a process with its exit code, which only its parent learns, and only once."""
    service = stack.services[name]
    if service.exit_code is None:
        code = exit_code(Started(service.pid, service.born))
        if code is not None:
            service = stack.services[name] = replace(service, exit_code=code, ended=time.time())
    return service


def watched(_stack: Stack) -> AbstractContextManager[None]:
    """Return nothing to do: processes have no health checks."""
    return nullcontext()


def remains(_stack: Stack) -> bool:
    """Return that there is something: processes that ended still have logs and exit codes."""
    return True


def is_running(stack: Stack) -> bool:
    """Return whether a process that was started still runs."""
    return any(exit_code(started) is None for started in _started(stack).values())


def environment(_project: Project, _stack: Stack) -> dict[str, str]:
    """Return nothing: the services are reached at their ports."""
    return {}


def places(stack: Stack, _signals: Signals) -> Iterable[Place]:
    """Yield the process groups."""
    for name, started in _started(stack).items():
        service, processes = _ended(stack, name), members(started.pid)
        yield Place(
            name=name,
            service=name,
            host="",
            command="",
            started=stack.started,
            exit_code=service.exit_code,
            ended=service.ended,
            seen=tuple(sightings(processes)),
            programs=tuple(programs(processes)),
        )


def fetch(_project: Project, stack: Stack) -> Stack:
    """Return the record as it is: the processes write into the data directory."""
    return stack


def stop(_project: Project, stack: Stack, _collect: Callable[[Signals], None], _proven: bool) -> None:
    """End the processes."""
    end(_started(stack).values())


def discard(_stack: Stack) -> None:
    """Remove nothing: there are no volumes."""


def log_file(project: Project, service: str) -> Path:
    """Return the file that takes the output of a service."""
    return project.state / "logs" / f"{file_name(service)}.log"


def _started(stack: Stack) -> dict[str, Started]:
    return {name: Started(service.pid, service.born) for name, service in stack.services.items() if service.pid}


def read_processes(project: Project, environ: Mapping[str, str]) -> list[Process]:
    """Return the processes of the project's Procfile, with .env and honcho's PORT. Raise TaskError when it has none."""
    file = project.files[0]
    try:
        parsed = honcho.parse_procfile(_read(file)).processes
    except AssertionError:
        raise TaskError(f"{file} names a process twice: give each a name of its own") from None
    if not parsed:
        raise TaskError(f"{file} names no process: add a line `name: command` per service")
    dotenv = project.root / ".env"
    variables = {"PORT": str(FIRST_PORT), **own_environment(project, environ)}
    if dotenv.is_file():
        variables |= honcho.parse(_read(dotenv))
    if not variables["PORT"].isdigit():
        raise TaskError(f"PORT is {variables['PORT']!r}: set it to a number or unset it")
    return [_process(found.name.rpartition(".")[0], found.cmd, found.env) for found in _expand(parsed, variables)]


def with_spy(process: Process, project: Project, spy: Path, sources: Iterable[str] = ()) -> dict[str, str]:
    """Return the environment of a measured process that loads `spy`.

    Code of the project and below `sources` is recorded.
    """
    found = {
        "COVERAGE_FILE": str(project.journals_of(process.name) / f".coverage.{process.name}"),
        "COVERAGE_SOURCE": os.pathsep.join([str(project.root), *sources]),
        **{name: process.environment[name] for name in PASSED_ON if name in process.environment},
    }
    python_path = process.environment.get("PYTHONPATH", "")
    return {**process.environment, **variables(found, process.environment, str(spy), python_path)}


def run(process: Process, environment: Mapping[str, str], directory: Path, log: Path) -> Started:
    """Start one process as the leader of its own session, its output going to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        started = subprocess.Popen(  # noqa: S602 - a Procfile's lines are shell commands
            process.command,
            shell=True,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # This process ends before its children do; they are looked after by their ids.
    started.returncode = 0
    return Started(started.pid, _born(started.pid))


def exit_code(started: Started) -> int | None:
    """Return None while it runs, its exit code once it ended, -1 when only its parent could have known."""
    try:
        pid, status = os.waitpid(started.pid, os.WNOHANG)
    except ChildProcessError:
        return None if is_alive(started) else -1
    return os.waitstatus_to_exitcode(status) if pid else None


def end(processes: Iterable[Started]) -> None:
    """End the processes as `docker stop` would: SIGTERM to each, up to 10 s of patience, SIGKILL to what is left.

    What a process leaves behind of its children gets its own SIGTERM then.
    """
    leaders = [started for started in processes if _is_ours(started)]
    for started in leaders:
        _signal(os.kill, started.pid, signal.SIGTERM)
    orphaned: set[Started] = set()
    deadline = time.monotonic() + GRACE_SECONDS
    while leaders and time.monotonic() < deadline:
        for started in leaders:
            if started not in orphaned and exit_code(started) is not None:
                orphaned.add(started)
                _signal(os.killpg, started.pid, signal.SIGTERM)
        leaders = [started for started in leaders if _has_members(started.pid)]
        time.sleep(POLL_SECONDS)
    for started in leaders:
        _signal(os.killpg, started.pid, signal.SIGKILL)


def is_alive(started: Started) -> bool:
    """Return whether the very process still runs."""
    if HAS_PROC:
        found = _stat(Path(f"/proc/{started.pid}"))
        return bool(found) and found[0] not in "ZX" and found[19] == started.born
    return _born(started.pid) == started.born


def members(group: int) -> list[str]:
    """Return the processes of a group, in lines as of `ps -o pid,etime,args`."""
    if HAS_PROC:
        return [line for entry in Path("/proc").glob("[0-9]*") for line in _described(entry, group)]
    answer = subprocess.run(
        ["ps", "-A", "-o", "pgid=", "-o", "pid=", "-o", "etime=", "-o", "args="],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    fields = (line.split(maxsplit=1) for line in answer.stdout.splitlines())
    return [rest for own, rest in fields if own == str(group)]


def find_python(environment: Mapping[str, str]) -> str | None:
    """Return the Python that the processes' own commands would start."""
    return shutil.which("python", path=environment.get("PATH")) or shutil.which("python3", path=environment.get("PATH"))


def _read(file: Path) -> str:
    try:
        text = read_text(file, within=ANYWHERE)
    except (OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{file} cannot be read ({error}): correct it") from None
    if "\0" in text:
        raise TaskError(f"{file} holds a zero byte, which no command and no variable can: remove it")
    return text


def _expand(parsed: Mapping[str, str], variables: Mapping[str, str]) -> list[honcho.ProcessParams]:
    found: list[honcho.ProcessParams] = honcho.expand_processes(parsed, env=dict(variables))
    return found


def _process(name: str, command: str, environment: Mapping[str, str]) -> Process:
    ports = {int(port) for port in _LISTENS.findall(command)}
    if _LISTENS_ON_PORT.search(command):
        ports.add(int(environment["PORT"]))
    return Process(name, command, environment, tuple(sorted(ports)))


def _is_ours(started: Started) -> bool:
    # A leader that is gone leaves its number to the group as long as that has members.
    return _born(started.pid) in (started.born, "")


def _signal(send: Callable[[int, int], None], target: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        send(target, number)


def _has_members(group: int) -> bool:
    if HAS_PROC:
        fields = (_stat(entry) for entry in Path("/proc").glob("[0-9]*"))
        return any(found and found[2] == str(group) and found[0] not in "ZX" for found in fields)
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _born(pid: int) -> str:
    """Return when a process began, in whatever unit the system has; empty when it is gone."""
    if HAS_PROC:
        found = _stat(Path(f"/proc/{pid}"))
        return found[19] if found else ""
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _described(entry: Path, group: int) -> Iterator[str]:
    found = _stat(entry)
    if found and found[2] == str(group):
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(found[19]) / os.sysconf("SC_CLK_TCK")
        with suppress(OSError):  # it has just ended
            words = (entry / "cmdline").read_text(errors="replace").replace("\0", " ")
            yield f"{entry.name} {max(int(age), 0)} {words}"


def _stat(entry: Path) -> list[str]:
    # From the state on; the name before it, in parentheses, may hold anything.
    try:
        return (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


class _Host(NamedTuple):
    """The Python that the processes start: its version, why it is not measured ("" when it is), and its spy."""

    version: str
    reason: str
    spy: Path


def _prepare_host(project: Project, environment: Mapping[str, str]) -> _Host:
    python = find_python(environment) or sys.executable
    answer = subprocess.run([python, "-c", _DESCRIBE], capture_output=True, text=True, check=False)
    if answer.returncode:
        return _Host("", f"{python} does not start", SPY)
    implementation, version, suffix, libc = json.loads(answer.stdout)
    interpreter = Interpreter(python, version, suffix, libc)
    if implementation != "CPython" or not interpreter.measurable:
        reason = f"{python} is {implementation} {version}, and only CPython {OLDEST_PYTHON} or newer is measured"
        return _Host(version, reason, SPY)
    branch = is_true(environment.get("COVERAGE_BRANCH"))
    if needs_tracer(interpreter, branch):
        fill_payload([interpreter])
    tracers = tracers_of([interpreter], branch)
    spy = project.state / "spies" / key_of(f"{python} {suffix}", tracers)
    if not spy.is_dir():
        with new_copy(spy, tracers) as directory:
            subprocess.run([python, *COMPILE, str(directory)], capture_output=True, check=False)
    return _Host(version, "", spy)
