"""The measured services of one run: started, waited for, tested, stopped, and what they wrote collected."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

from coverage_spy.settings import FALLBACK

from . import compose, healthchecks, mounts, overlay, procfile, proof
from .census import NOBODY, forget_census, take_census
from .configuration import LEFT_OUT, read_configuration
from .files import read_end, read_json, refuse_links
from .images import Interpreter, record_images
from .journals import find_journals
from .locks import only_build
from .names import stack_name
from .payload import fill_payload, needs_tracer
from .progress import Stage, hidden
from .project import SPY, Project, TaskError, beside, counted, own_environment, printable, say
from .services import Service, find_services, map_service
from .sources import Repository
from .startup import mark_startup

VERSION = 2
POLL_SECONDS = 0.3
# A service without a health check counts as ready when it has been up for this long.
SETTLED_SECONDS = 1.0
# How often containers are made anew because somebody moved the name of an image in between.
CREATIONS = 3
END_OF_LOG = 1 << 16  # bytes that hold the last lines of a service

_DESCRIBE = """
import importlib.machinery, json, platform, sys
print(json.dumps([platform.python_implementation(), "%d.%d" % sys.version_info[:2],
                  importlib.machinery.EXTENSION_SUFFIXES[0], platform.libc_ver()[0] or "musl"]))
"""


class ServiceDied(TaskError):
    """A service ended with an error, or its health check fails."""


def up(project: Project, append: bool = False, build: bool = False) -> None:
    """Starts the project's services with coverage and waits until they are ready.

    Images are those the project runs without coverage; `build` builds them anew first, as is always done for the
    example, whose code is changed here. A new run begins with no journals but its own, unless `append`; starting a
    stack that is up keeps them. Raises TaskError when a service does not get ready; what did start is stopped again.
    """
    prepare_data(project)
    if project.runtime == "compose":
        collect(project)  # from containers that compose may replace, and volumes of a stack that was removed by hand
    record, fresh = _read_state(project), not append
    if running(project):
        say("the stack is up already: its journals are kept")
        fresh = False
    before = () if fresh else find_journals(project.journals)
    try:
        if project.runtime == "compose":
            _up_containers(project, build or project.example, fresh)
        else:
            _up_processes(project, fresh)
        wait_until_ready(project)
    except BaseException:
        if _read_state(project) != record:  # else nothing was begun, and what ran goes on
            down(project, proven=False)
        raise
    try:
        collect(project)
    except TaskError as error:
        say(str(error))  # the containers keep what has no room here
    mark_startup(project, before)
    say("the services are ready")


def wait_until_ready(project: Project) -> None:
    """Waits until every service runs (healthy, where it has a health check) or has finished with exit code 0.

    Raises TaskError, after printing its logs, when one died; and when COVERAGE_SPY_TIMEOUT seconds have passed.
    """
    state = _require_running(project)
    if project.runtime == "compose":
        wait_for_containers(state["project"])
    else:
        _wait(lambda: _look_at_processes(project, state))


def wait_for_containers(name: str) -> None:
    """As wait_until_ready, for the compose project `name`."""
    with healthchecks.checked(name):
        _wait(lambda: _look_at_containers(name))


def _wait(look: Callable[[], tuple[list[str], dict[str, float]]]) -> None:
    deadline = time.monotonic() + timeout()
    since, starts = None, None
    with Stage("waiting for the services") as stage:
        while True:
            before = starts
            waiting, starts = look()
            stage.text = f"waiting for the services: {', '.join(waiting)}" if waiting else "waiting for the services"
            # One that dies and is started again and again is up at many a look.
            since = None if waiting or starts != before else since or time.monotonic()
            if since and time.monotonic() - since >= SETTLED_SECONDS:
                return
            if not since and time.monotonic() > deadline:
                raise TaskError(_not_ready(waiting))
            time.sleep(POLL_SECONDS)


def _not_ready(waiting: Sequence[str]) -> str:
    awaited = ", ".join(waiting) or "a container is started again and again"
    return f"not ready after {timeout():g} s: {awaited}; correct this or raise COVERAGE_SPY_TIMEOUT"


def require_command(project: Project, command: list[str]) -> None:
    """Raises TaskError with exit code 127, as a shell would, when there is no such command."""
    environment = own_environment(project, os.environ)
    if not shutil.which(str(project.root / command[0]) if "/" in command[0] else command[0], path=environment["PATH"]):
        raise TaskError(f"the test command {command[0]} does not exist: correct it, or install it", 127)


def run_command(project: Project, command: list[str]) -> int:
    """Runs the user's test command in the project's root. Returns its exit code, 128 + n when signal n ended it."""
    require_command(project, command)
    state = _require_running(project)
    environment = own_environment(project, os.environ) | {
        "COVERAGE_SPY_RUNTIME": project.runtime,
        "COVERAGE_SPY_STACK": str(project.stack_file),
    }
    if project.runtime == "compose":
        files = (*project.files, compose.overlay_file(project))
        environment |= {
            "COMPOSE_FILE": os.pathsep.join(map(str, files)),
            "COMPOSE_PATH_SEPARATOR": os.pathsep,
            "COMPOSE_PROJECT_NAME": state["project"],
        }
        if env_files := compose.env_files(project):
            environment["COMPOSE_ENV_FILES"] = ",".join(map(str, env_files))
    try:
        code = subprocess.run(command, cwd=project.root, env=environment, check=False).returncode
    except OSError as error:
        raise TaskError(f"the test command {command[0]} cannot be run ({error.strerror}): correct it", 126) from None
    return code if code >= 0 else 128 - code


def down(project: Project, proven: bool = True) -> bool:
    """Stops the services gracefully, collects their journals, removes containers and networks; volumes stay.

    `proven`: says what measuring changed. Returns whether there was anything to stop.
    """
    state, ran = _read_state(project), running(project)
    if not ran and not _is_unfinished(project, state):
        return False
    if state["runtime"] != project.runtime:
        raise TaskError(
            f"what is up was started with COVERAGE_SPY_RUNTIME={state['runtime']}: set it to that to stop it"
        )
    with undisturbed(), Stage("stopping the services", aloud=True):
        take_census(project, state)
        if project.runtime == "compose":
            compose.sweep()
            health = {container.id: container.health for container in compose.containers(state["project"])}
            signals = compose.stop(project, state["project"])
            collect(project, signals)
            if proven and ran:
                proof.prove(project, state, signals, health)
            compose.down(project, state["project"])
            mounts.remove(state["project"])
            derived = (name for name, entry in state["services"].items() if entry.get("derived"))
            compose.remove_images(f"{state['project']}-{name}" for name in derived)
        else:
            procfile.stop(_started(state).values())
        _write_state(project, {**_read_state(project), "ended": time.time()})
    return ran


def _is_unfinished(project: Project, state: Mapping[str, Any]) -> bool:
    """Whether nobody has stopped a stack of containers, whatever has become of these."""
    return bool(state) and not state.get("ended") and state["runtime"] == project.runtime == "compose"


def running(project: Project) -> bool:
    """Whether anything of a stack that was started and not stopped is still there."""
    state = _read_state(project)
    if not state or state.get("ended"):
        return False
    if state["runtime"] == "compose":
        # What an engine left behind that is gone is no obstacle to running without one.
        without_engine = project.runtime != "compose" and compose.engine_problem()
        return not without_engine and bool(compose.container_ids(state["project"]))
    return any(procfile.exit_code(started) is None for started in _started(state).values())


def collect(project: Project, signals: Mapping[str, float] = NOBODY) -> None:
    """Looks at what runs, and copies journals out of containers that could not write to the data directory.

    `signals` are of compose.stop(), which has come before.
    """
    state = _read_state(project)
    if not state or state.get("ended"):
        return
    with Stage("looking at what runs"):
        take_census(project, state, signals)
        if state["runtime"] == "compose":
            _copy_out(project, state)


def _copy_out(project: Project, state: dict[str, Any]) -> None:
    services = state["services"]
    mounts.read_back(project, state["project"], _measured(state))
    for container in compose.containers(state["project"]):
        if services.get(container.service, {}).get("measured") and mounts.copy_journals(
            container.id, FALLBACK, project.journals_of(container.service)
        ):
            services[container.service]["fallback"] = True
    _write_state(project, state)


def clean(project: Project) -> None:
    """Removes the recorded data and every report, but no saved run.

    Raises TaskError while a stack is up, and for what must stay.
    """
    if running(project):
        raise TaskError("a measured stack is up: run down-coverage first")
    refuse_links(project.data)
    state = _read_state(project)
    if _is_unfinished(project, state):
        mounts.remove(state["project"])
    recorded, stays = [project.data], []
    if any(project.runs.glob("*")):
        kept = (project.runs, project.data / ".gitignore")
        recorded = [path for path in project.data.iterdir() if path not in kept]
        say(f"{project.runs.relative_to(project.root)} stays: remove saved runs that are no longer of use there")
    for path in (
        *(*recorded, project.html),
        *(project.coverage_file, project.json, project.xml, project.lcov, project.markdown),
    ):
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            stays.append(path)
    if stays:
        raise TaskError(_of_somebody_else(project.root, stays))


def prepare_data(project: Project) -> None:
    """Makes the data directory, and the one for journals in it. Raises TaskError when it cannot be written.

    It is nobody else's: a service's directory of journals, which is open to every user, lies in it.
    """
    data = project.data
    refuse_links(data)
    try:
        project.journals.mkdir(parents=True, exist_ok=True)
        for directory in (data, project.journals):
            if directory.stat().st_mode & 0o022:
                directory.chmod(0o755)
        with tempfile.NamedTemporaryFile(dir=data):
            pass
        (data / ".gitignore").write_text("*\n")
    except OSError as error:
        if data.is_dir() and data.stat().st_uid != os.geteuid():
            raise TaskError(_of_somebody_else(data.parent, [data])) from None
        raise TaskError(f"cannot write to {data} ({error.strerror}): make it writable, or remove it") from None


def _of_somebody_else(root: Path, paths: Sequence[Path]) -> str:
    """The sentence about what only another user may remove; whoever reaches an engine is root in a container."""
    names = [path.relative_to(root).as_posix() for path in paths]
    inside = " ".join(f"/r/{name}" for name in names)
    return (
        f"{', '.join(names)} in {root} cannot be replaced by you, perhaps since a run as root: remove with "
        f'`sudo rm -rf {" ".join(names)}`, or `docker run --rm -v "$PWD:/r" busybox rm -rf {inside}`'
    )


def _empty(project: Project) -> None:
    count = len(find_journals(project.journals))
    for place in project.journals.iterdir():  # whatever a service has left there
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
    forget_census(project.data)
    (project.data / "startup.json").unlink(missing_ok=True)
    if count:
        say(f"removed {counted(count, 'journal')} of the previous run (--append keeps them)")


def _up_containers(project: Project, build: bool, fresh: bool) -> None:
    compose.require_engine()
    compose.sweep()
    model = compose.read_model(project)
    name = stack_name(model["name"], project.root)
    with only_build(model["name"]):
        services, kind = _create(project, model, name, build, fresh)
    _say_what_is_old(project, services)
    _say_what_is_measured({service.name: service.reason for service in services})
    say(f"the compose project is {name}")
    if kind == "volume":
        mounts.fill(name, _measured(_read_state(project)), overlay.way_of(os.environ) != "image")
    try:
        with healthchecks.checked(name):
            compose.up(project, name, timeout())
    except TaskError:
        # A service that died says why better than compose, which only says that another one waits for it.
        _look_at_containers(name)
        raise


def _create(
    project: Project, model: Mapping[str, Any], name: str, build: bool, fresh: bool
) -> tuple[list[Service], mounts.Kind]:
    """Makes the stack's containers; they keep the images that were inspected whatever is built from then on."""
    # Containers that nobody recorded may have been mounted what is not there any more.
    anew = [] if running(project) else [container.service for container in compose.containers(name)]
    for left in reversed(range(CREATIONS)):
        services = find_services(project, model, build)
        if fresh and left == CREATIONS - 1:
            _empty(project)
        kind = overlay.write_overlay(project, model, services, os.environ)
        state = _new_state(project, name, {service.name: _entry(service) for service in services})
        _write_state(project, state | {"mounts": kind})
        record_images(project, (service.image for service in services if service.image))
        if kind == "volume" and not compose.container_ids(name):
            mounts.remove(name)
        compose.create(project, name, anew=anew)
        moved = _moved(services, name)
        anew = [service.name for service in moved]
        if not moved:
            break
        images = " and ".join(sorted({f"the image {service.image.name}" for service in moved if service.image}))
        if not left:
            raise TaskError(f"{images} was built again and again meanwhile: let one build end before another begins")
        say(f"{images} was built anew meanwhile, perhaps by another checkout: once more")
    return services, kind


def _moved(services: Sequence[Service], name: str) -> list[Service]:
    """Those whose image name means another one than was inspected: the container was made of code that is not ours."""
    if overlay.way_of(os.environ) == "image":
        return []  # names of derived images are nobody else's
    built = {service.image.name for service in services if service.image and service.builds}
    expected = {s.name: s.image for s in services if s.image and s.image.name in built}
    moved = {
        container.service
        for container in compose.containers(name)
        if (image := expected.get(container.service))
        and not compose.is_made_of(container.made_of, image.ids, image.content)
    }
    return [service for service in services if service.name in moved]


def _say_what_is_old(project: Project, services: Sequence[Service]) -> None:
    repository = Repository.of_project(project)
    for service in services:
        if service.measured and service.builds and service.image:
            found = map_service(service, repository)
            matches = (found.find(path, digest) for path, digest in service.image.files.items())
            old = sorted(match.path for match in matches if match.path and match.state == "drifted")
            if old:
                more = f" and {len(old) - 1} more files are" if len(old) > 1 else " is"
                say(f"{old[0]}{more} not what the image {service.image.name} was built from: --build builds it anew")


def _entry(service: Service) -> dict[str, Any]:
    return {
        "measured": service.measured,
        "reason": service.reason,
        "image": service.image.name if service.image else "",
        "platform": service.image.platform if service.image else "",
        "content": service.image.content if service.image else "",
        "ids": list(service.image.ids) if service.image else [],
        "derived": service.measured and overlay.way_of(os.environ) == "image",
        "interpreters": [found.version for found in service.image.interpreters] if service.image else [],
        "binds": [list(pair) for pair in service.binds],
        "copied": [list(pair) for pair in service.copied],
        "fallback": False,
    }


def _measured(state: Mapping[str, Any]) -> list[str]:
    return [name for name, entry in state["services"].items() if entry["measured"]]


def _look_at_containers(name: str) -> tuple[list[str], dict[str, float]]:
    """What is still awaited, as words, and when each was started. Raises TaskError when a container died."""
    waiting = []
    containers = compose.containers(name)
    for container in containers:
        if (container.state == "exited" and container.exit_code) or container.state == "dead":
            _died(container.service, compose.logs(container.id), f"exit code {container.exit_code}")
        if container.health == "unhealthy":
            _died(container.service, compose.logs(container.id), "its health check fails")
        # With `restart: always` a job that has ended well waits to be started again.
        ended = container.state in ("exited", "restarting") and not container.exit_code
        if (container.state != "running" and not ended) or container.health == "starting":
            waiting.append(f"{container.service} is {container.health or container.state}")
    return waiting, {container.id: container.started for container in containers}


def _up_processes(project: Project, fresh: bool) -> None:
    if running(project):
        raise TaskError("the processes of the Procfile are running already: run down-coverage first")
    configuration = read_configuration(project.root)
    processes = procfile.read_processes(project, os.environ)
    configuration.require_services([process.name for process in processes], project)
    for process in processes:
        for port in process.ports:
            if procfile.accepts(port):
                raise TaskError(f"port {port} of {process.name} is taken: stop what listens there")
    version, reason = _prepare_host(processes[0].environment)
    if fresh:
        _empty(project)
    reasons = {p.name: LEFT_OUT if p.name in configuration.leave_out else reason for p in processes}
    entry = {"image": "", "content": "", "binds": [], "fallback": False, "interpreters": [version] if version else []}
    entries = {name: {"measured": not why, "reason": why, **entry} for name, why in reasons.items()}
    state = _new_state(project, f"{project.directory.name}-coverage", entries)
    _say_what_is_measured(reasons)
    overlay.open_journals(project, _measured(state))
    for process in processes:
        environment = process.environment
        if process.name not in configuration.leave_out:
            sources = (path for path, _ in configuration.sources.get(process.name, ()))
            environment = procfile.with_spy(process, project, sources)
        started = procfile.start(process, environment, project.directory, _log_file(project, process.name))
        state["services"][process.name] |= {"pid": started.pid, "born": started.born, "ports": process.ports}
        # After each one, so that `down` finds every process even when the next does not start.
        _write_state(project, state)


def _look_at_processes(project: Project, state: Mapping[str, Any]) -> tuple[list[str], dict[str, float]]:
    waiting = []
    for name, started in _started(state).items():
        entry = state["services"][name]
        code = 0 if entry.get("finished") else procfile.exit_code(started)
        if code:
            log = read_end(_log_file(project, name), END_OF_LOG).decode(errors="replace")
            _died(name, log, f"exit code {code}" if code > 0 else "")
        if code == 0:
            # Only its parent learns an exit code, and only once.
            entry["finished"] = True
            _write_state(project, state)
        elif silent := [str(port) for port in entry["ports"] if not procfile.accepts(port)]:
            waiting.append(f"{name} does not listen on port {' and '.join(silent)}")
    return waiting, {}  # nothing starts them again


def _prepare_host(environment: Mapping[str, str]) -> tuple[str, str]:
    """The version of the Python that the processes start, and why it is not measured, if it is not."""
    python = procfile.find_python(environment) or sys.executable
    answer = subprocess.run([python, "-c", _DESCRIBE], capture_output=True, text=True, check=False)
    if answer.returncode:
        return "", f"{python} does not start"
    implementation, version, suffix, libc = json.loads(answer.stdout)
    interpreter = Interpreter(python, version, suffix, libc)
    if implementation != "CPython" or not interpreter.measurable:
        return version, f"{python} is {implementation} {version}, and only CPython 3.8 or newer is measured"
    if needs_tracer(interpreter, overlay.is_true(environment.get("COVERAGE_BRANCH"))):
        fill_payload([interpreter])
    if not overlay.is_compiled(version):
        subprocess.run([python, "-m", "compileall", "-q", str(SPY)], capture_output=True, check=False)
    return version, ""


def _say_what_is_measured(reasons: Mapping[str, str]) -> None:
    for name, reason in reasons.items():
        if reason:
            say(f"{name} is not measured: {reason}")
    say(f"starting {counted(len(reasons), 'service')}")


def _died(service: str, log: str, how: str) -> None:
    with hidden():
        lines = [f"| {printable(line)}" for line in log.splitlines()[-50:]]
        print(f"--- the last lines of {service} ---", *lines, "---", sep="\n", file=sys.stderr)
    raise ServiceDied(f"the service {service} has died{f' ({how})' * bool(how)}: its last lines are above; correct it")


def _log_file(project: Project, service: str) -> Path:
    return project.data / "logs" / f"{service}.log"


def timeout() -> float:
    """COVERAGE_SPY_TIMEOUT in seconds. Raises TaskError when it is no number of them."""
    value = os.environ.get("COVERAGE_SPY_TIMEOUT") or "120"
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise TaskError(f"COVERAGE_SPY_TIMEOUT is {value!r}: set it to a number of seconds")
    return seconds


def _started(state: Mapping[str, Any]) -> dict[str, procfile.Started]:
    return {
        name: procfile.Started(int(entry["pid"]), entry["born"])
        for name, entry in state["services"].items()
        if "pid" in entry
    }


def _new_state(project: Project, name: str, services: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "runtime": project.runtime,
        "project": name,
        "run": token_hex(8),
        "started": time.time(),
        "services": services,
    }


def _require_running(project: Project) -> dict[str, Any]:
    state = _read_state(project)
    if not state or state.get("ended") or (project.runtime == "compose" and not running(project)):
        raise TaskError("no measured stack is up: run up-coverage first")
    return state


def _read_state(project: Project) -> dict[str, Any]:
    try:
        state: dict[str, Any] = read_json(project.stack_file)
        if state["version"] != VERSION:
            if state.get("ended"):
                return {}  # a run of another version of coverage-spy that needs nothing any more
            raise ValueError(f"version {state['version']}")
        _started(state)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"{project.stack_file} cannot be read ({error!r}): remove it") from None
    return state


def _write_state(project: Project, state: Mapping[str, Any]) -> None:
    with beside(project.stack_file) as file:
        file.write_text(json.dumps(state, indent=1) + "\n")


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C does not leave containers behind."""
    before: list[tuple[signal.Signals, Callable[..., Any] | int | None]] = [
        (number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, signal.SIGTERM)
    ]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
