"""Skips the tests that need an engine or a browser where there is none; in CI that is a failure."""

import os
import shutil
import subprocess
import sys
import tempfile

import pytest
from machine import INTERPRETERS, engine_answers, find_browser, number
from template import CACHE

from coverage_tasks.images import Interpreter
from coverage_tasks.payload import fill_payload

REQUIRE_ENGINE = "COVERAGE_SPY_REQUIRE_ENGINE"
NEEDS = {
    "engine": (engine_answers, "no Docker engine answers", "needs a Docker engine that answers, and compose"),
    "browser": (find_browser, "there is no Chromium", "needs a Chromium"),
}


def pytest_configure(config):
    config.addinivalue_line("markers", "every_engine: the short set, which CI runs on each kind of engine")
    for marker, (_, _, need) in NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: {need}")
    if not os.environ.get(CACHE):  # workers inherit it
        os.environ[CACHE] = tempfile.mkdtemp(prefix="coverage-spy-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(CACHE), ignore_errors=True))


def pytest_runtest_setup(item):
    for marker, (is_there, without, _) in NEEDS.items():
        if item.get_closest_marker(marker) and not is_there():
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
    fill_payload(found)
