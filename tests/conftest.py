"""Skips the tests that need an engine where none answers; in CI that is a failure."""

import os

import pytest
from machine import engine_answers

REQUIRE_ENGINE = "COVERAGE_SPY_REQUIRE_ENGINE"


def pytest_configure(config):
    config.addinivalue_line("markers", "engine: needs a Docker engine that answers, and compose")


def pytest_runtest_setup(item):
    if item.get_closest_marker("engine") and not engine_answers():
        if os.environ.get(REQUIRE_ENGINE):
            pytest.fail(f"{REQUIRE_ENGINE} is set and no Docker engine answers", pytrace=False)
        pytest.skip("no Docker engine answers")
