"""Where our files lie: never in a checkout."""

from pathlib import Path

import pytest

from coverage_tasks.errors import TaskError
from coverage_tasks.places import state_directory
from coverage_tasks.project import Project


def test_each_checkout_has_a_state_of_its_own_in_the_state_directory_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "states"))
    one, other = (state_directory(Path(root)) for root in ("/srv/shop", "/home/a/shop"))
    assert one.parent == other.parent == tmp_path / "states" / "coverage-spy"
    assert one.name.startswith("shop-")
    assert one != other
    assert one == state_directory(Path("/srv/shop"))


def test_state_lies_where_the_setting_says(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_STATE", str(tmp_path / "state"))
    assert Project(tmp_path / "shop", "compose", ()).journals == tmp_path / "state" / "journals"


def test_state_of_a_checkout_with_a_long_name_has_a_name_that_every_file_system_takes():
    assert len(state_directory(Path("/srv") / ("x" * 255)).name) < 70


def test_user_without_a_home_is_told_what_to_set(monkeypatch):
    def no_home(_):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_state_path", no_home)
    with pytest.raises(TaskError, match=r"no home directory .*: set COVERAGE_SPY_STATE to a directory outside /srv"):
        state_directory(Path("/srv"))
