"""Services that were measured once, given to every test as they were then."""

import os
import shutil

import pytest
from bad_input.tasks import WAIT, errors, run_task, write_services
from e2e.stacks import Repository

from coverage_tasks.places import state_directory


@pytest.fixture
def bare(tmp_path):
    """Two services and nothing recorded."""
    write_services(tmp_path)
    yield tmp_path
    run_task(tmp_path, "down-coverage")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    root = tmp_path_factory.mktemp("measured")
    write_services(root)
    assert errors(run_task(root, "up-coverage", "-q"), 0) == []
    try:
        assert errors(run_task(root, "test-with-coverage", "-q", "--", "sh", "-c", WAIT), 0) == []
    finally:
        run_task(root, "down-coverage")
    kept = tmp_path_factory.mktemp("kept")
    for place, copy in ((root, "root"), (state_directory(root), "state")):
        shutil.copytree(place, kept / copy)
    return root, kept


@pytest.fixture
def recorded(measured):
    """Two services and the journals of a run of theirs. Journals name the place, so it is one for all tests."""
    root, kept = measured
    for place, copy in ((root, "root"), (state_directory(root), "state")):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(kept / copy, place)
    return root


@pytest.fixture
def repository(tmp_path):
    """A repository for compose, with a project name of its own."""
    found = Repository(tmp_path / f"bad-input-{os.urandom(4).hex()}")
    found.root.mkdir()
    yield found
    found.clean_up()
