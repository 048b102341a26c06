"""Locks as another process sees them."""

import fcntl
import os

import pytest

from coverage_tasks import locks
from coverage_tasks.project import Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "cache"))
    found = Project(tmp_path, "procfile", ())
    found.state.mkdir(parents=True)
    return found


def test_builds_of_one_name_wait_for_each_other(project, tmp_path):
    def is_free(name):
        child = os.fork()
        if not child:
            file = os.open(tmp_path / "cache" / "builds.lock", os.O_RDWR)
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, locks.crc32(name.encode()))
            except BlockingIOError:
                os._exit(1)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    with locks.only_build("shop"):
        assert not is_free("shop")
        assert is_free("other")
    assert is_free("shop")
