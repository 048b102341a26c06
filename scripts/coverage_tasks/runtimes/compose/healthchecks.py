"""Health checks that nobody runs. Podman leaves them to timers of systemd, so without that they never begin."""

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from ...errors import TaskError
from . import engine

LOOK_SECONDS = 0.5
# What podman takes for a check that says nothing of it, and what its timers may be late, in seconds.
INTERVAL = 30.0
SLACK = 1.0


@contextmanager
def checked(name: str) -> Iterator[None]:
    """Run the stack's health checks meanwhile, at their own interval, on a podman where nobody else does.

    A service whose check never runs is never ready. Once it has passed, no more of them are run. A TaskError of the
    body gets to know which services nobody could check.
    """
    if not engine.is_podman():
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_check, args=(name, ended), daemon=True)
    thread.start()
    try:
        yield
    except TaskError as error:
        unchecked = [] if shutil.which("podman") else sorted(map(_service, filter(_is_overdue, engine.describe(name))))
        if not unchecked:
            raise
        raise TaskError(
            f"{error}; nobody runs the health check of {' and '.join(unchecked)}, since podman leaves that to systemd: "
            "install the command podman, and this task runs it"
        ) from None
    finally:
        ended.set()
        thread.join()


def _check(name: str, ended: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        with suppress(TaskError, ValueError):  # an engine that does not answer is noticed by who waits, too
            for container in engine.describe(name):
                if _is_overdue(container) and not ended.is_set():
                    engine.check_health(container["Id"], _seconds(container, "Timeout"))


def _is_overdue(container: Mapping[str, Any]) -> bool:
    """Return whether a container waits for its health check, and has done so for longer than a timer would let it."""
    state = container["State"]
    health = state.get("Health") or {}
    if state["Status"] != "running" or health.get("Status") != "starting":
        return False
    last = health["Log"][-1]["End"] if health.get("Log") else state["StartedAt"]
    return time.time() - datetime.fromisoformat(last).timestamp() > _seconds(container, "Interval") + SLACK


def _seconds(container: Mapping[str, Any], what: str) -> float:
    return (container["Config"].get("Healthcheck") or {}).get(what, 0) / 1e9 or INTERVAL


def _service(container: Mapping[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])
