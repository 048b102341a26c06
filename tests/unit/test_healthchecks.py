"""Health checks on a podman without systemd."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from machine import PATIENCE

from coverage_tasks.errors import TaskError
from coverage_tasks.runtimes.compose import engine, healthchecks

NOW = datetime.now(UTC)


def container(age=10.0, status="starting", log=None, interval=2.0, state="running", service="web"):
    ended = [{"End": (NOW - timedelta(seconds=ago)).isoformat()} for ago in log or ()]
    started = (NOW - timedelta(seconds=age)).isoformat()
    return {
        "Id": "c1",
        "Name": f"/{service}-1",
        "State": {"Status": state, "StartedAt": started, "Health": {"Status": status, "Log": ended or None}},
        "Config": {
            "Healthcheck": {"Interval": int(interval * 1e9), "Timeout": 5_000_000_000},
            "Labels": {"com.docker.compose.service": service},
        },
    }


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, True),
        ({"age": 2.5}, False),
        ({"log": [9.0, 2.5]}, False),
        ({"log": [9.0, 5.0]}, True),
        ({"interval": 0}, False),  # the default is 30 s
        ({"interval": 0, "age": 32.0}, True),
        ({"status": "healthy"}, False),
        ({"status": ""}, False),  # podman says so of a container without a check
        ({"state": "exited"}, False),
    ],
)
def test_check_is_overdue_that_no_timer_has_run(monkeypatch, known, expected):
    monkeypatch.setattr(healthchecks.time, "time", NOW.timestamp)
    assert healthchecks._is_overdue(container(**known)) is expected


@pytest.fixture
def ran():
    return threading.Event()


@pytest.fixture
def stack(monkeypatch, ran):
    """The containers of a stack on podman; a check that is run makes its container healthy."""
    found = []

    def check(name, timeout):
        assert timeout == 5.0
        found[0]["State"]["Health"]["Status"] = "healthy"
        ran.set()

    monkeypatch.setattr(healthchecks, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(healthchecks.shutil, "which", lambda command: command)
    for name, known in (("is_podman", lambda: True), ("describe", lambda name: found), ("check_health", check)):
        monkeypatch.setattr(engine, name, known)
    return found


def test_runs_the_check_that_nobody_runs(stack, ran):
    stack.append(container())
    with healthchecks.checked("shop"):
        assert ran.wait(PATIENCE)


def test_leaves_other_engines_to_themselves(stack, monkeypatch):
    stack.append(container())
    monkeypatch.setattr(engine, "is_podman", lambda: False)
    before = threading.active_count()
    with healthchecks.checked("shop"):
        assert threading.active_count() == before, "a thread looks after them"


@pytest.fixture
def without_podman(stack, monkeypatch):
    monkeypatch.setattr(healthchecks.shutil, "which", lambda command: None)
    monkeypatch.setattr(engine, "check_health", lambda name, timeout: None)
    return stack


def test_without_the_command_podman_the_service_is_named_with_the_remedy(without_podman):
    without_podman += [container(), container(service="db"), container(service="ready", status="healthy")]
    expected = (
        "^not ready after 120 s; nobody runs the health check of db and web, since podman leaves that to systemd: "
        "install the command podman, and this task runs it$"
    )
    with pytest.raises(TaskError, match=expected), healthchecks.checked("shop"):
        raise TaskError("not ready after 120 s")


def test_other_reasons_stay_as_they_are(without_podman):
    without_podman.append(container(status="healthy"))
    with pytest.raises(TaskError, match=r"^not ready$"), healthchecks.checked("shop"):
        raise TaskError("not ready")
