"""Skips the tests that need an engine or a browser where there is none; in CI that is a failure."""

import os
import shutil
import tempfile

import pytest
from machine import engine_answers, find_browser
from template import CACHE

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
