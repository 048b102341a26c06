import pytest

from coverage_tasks import locks
from coverage_tasks.errors import TaskError
from coverage_tasks.project import Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "cache"))
    found = Project(tmp_path, "procfile", ())
    found.state.mkdir(parents=True)
    return found


def test_second_run_of_a_checkout_is_refused_until_the_first_has_ended(project):
    refused = pytest.raises(TaskError, match=r"another task starts or stops services in .*: wait for its end")
    with locks.only_run(project), refused, locks.only_run(project):
        pass
    with locks.only_run(project):
        pass


def test_run_without_data_needs_no_lock_and_makes_no_file(project):
    project.state.rmdir()
    with locks.only_run(project), locks.only_run(project):
        assert not project.state.exists()


def test_lock_that_is_a_link_is_not_followed(project, tmp_path):
    (project.state / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(TaskError, match=r"cannot lock .*/lock"), locks.only_run(project):
        pass
    assert not (tmp_path / "precious").exists()


def test_builds_go_on_where_no_lock_can_be_had(project, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "file"))
    with locks.only_build("shop"):
        pass
