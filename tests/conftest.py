"""Marks each test with its group, and skips what this machine lacks something for; in CI that is a failure."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from machine import INTERPRETERS, REQUIRE_ENGINE, SPY, alone_with, engine_answers, find_browser, lacks_btrfs, number
from template import CACHE, STATES

from coverage_tasks.injection.payload import fill_payload
from coverage_tasks.sources.images import Interpreter

# marker: the directories whose tests have it, and what they are
GROUPS = {
    "unit": (("unit",), "starts no process and waits for no clock"),
    "tasks": (("tasks", "programs", "bad_input"), "starts git, pip or a shell, or a whole task"),
    "speed": (("speed",), "limits what work costs, counted and not timed"),
    "spy": (("spy", "faults", "fuzz", "soak"), "runs real interpreters under the spy, and damages what they record"),
    "faces": (("faces", "portal"), "nox, just, files for CI, the README and the pages, as a user meets them"),
}


def lacks(command):
    return "" if shutil.which(command) else f"{command} is not installed"


# what says why it is not there, and what is needed
NEEDS = {
    "engine": (
        lambda: "" if engine_answers() else "no Docker engine answers",
        "needs a Docker engine that answers, and compose",
    ),
    "browser": (lambda: "" if find_browser() else "there is no Chromium", "needs a Chromium"),
    "podman": (lambda: lacks("podman"), "needs podman"),
    "registry": (lambda: lacks("docker-registry"), "needs Debian's docker-registry"),
    "fuse": (lambda: lacks("bindfs"), "needs FUSE and bindfs"),
    "btrfs": (
        lambda: (why := lacks_btrfs()) and f"no btrfs can be mounted: {why}",
        "needs root, loop devices and btrfs-progs",
    ),
}


def pytest_configure(config):
    config.addinivalue_line("markers", "every_engine: the short set, which CI runs on each kind of engine")
    config.addinivalue_line("markers", "root: needs root; skipped for others in CI, too")
    for marker, (_, need) in (GROUPS | NEEDS).items():
        config.addinivalue_line("markers", f"{marker}: {need}")
    if not hasattr(config, "workerinput"):  # workers inherit them
        made = tempfile.mkdtemp(prefix="coverage-spy-")
        os.environ[STATES] = f"{made}/states"
        os.environ.setdefault(CACHE, f"{made}/cache")
        config.add_cleanup(lambda: shutil.rmtree(made, ignore_errors=True))


def pytest_itemcollected(item):
    place = item.path.relative_to(Path(__file__).parent).parts[0]
    for marker, (places, _) in GROUPS.items():
        if place in places:
            item.add_marker(marker)


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and os.getuid():
        pytest.skip("only root can mount, and start engines")
    for marker, (find_reason, _) in NEEDS.items():
        if item.get_closest_marker(marker) and (without := find_reason()):
            if os.environ.get(REQUIRE_ENGINE):
                pytest.fail(f"{REQUIRE_ENGINE} is set and {without}", pytrace=False)
            pytest.skip(without)


@pytest.fixture(scope="session")
def payload():
    """The C tracers of the interpreters here, this one among them; those of 3.12 and newer are for branches."""
    ask = "from importlib.machinery import EXTENSION_SUFFIXES as s; print(s[0])"
    found = []
    for version, python in [*INTERPRETERS.items(), ("{}.{}".format(*sys.version_info), sys.executable)]:
        if number(version) >= (3, 8):
            suffix = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
            found.append(Interpreter(python, version, suffix.strip()))
    with alone_with("payload"):  # one worker fetches them for all
        fill_payload(found, SPY / "payload")


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
