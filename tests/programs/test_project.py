"""Projects where the engine is asked for."""

import pytest
from checkouts import write_projects

from coverage_tasks.errors import TaskError
from coverage_tasks.places import state_directory
from coverage_tasks.recorded.stack import Stack, write_stack
from coverage_tasks.runtimes.choice import find_project

COMPOSE = {"COVERAGE_SPY_RUNTIME": "compose"}

PROCFILE = {"COVERAGE_SPY_RUNTIME": "procfile"}


def test_procfile_runs_where_no_engine_answers(tmp_path, monkeypatch):
    write_projects(tmp_path, "compose.yml", "Procfile")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    found = find_project(tmp_path, {})
    assert (found.runtime, found.files) == ("procfile", (tmp_path / "Procfile",))


def test_who_only_reads_needs_no_engine_once_a_run_has_ended(tmp_path, monkeypatch):
    write_projects(tmp_path, "compose.yml", "Procfile")
    state_directory(tmp_path).mkdir(parents=True)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    write_stack(state_directory(tmp_path), Stack("compose", "p", on_host=False, ended=1.0))
    assert find_project(tmp_path, {}, reads=True).runtime == "compose"
    assert find_project(tmp_path, {}).runtime == "procfile"
    write_stack(state_directory(tmp_path), Stack("anything", "p", on_host=False, ended=1.0))
    assert find_project(tmp_path, {}, reads=True).runtime == "procfile"


@pytest.mark.parametrize(("command", "remedy"), [("docker", "start Docker"), ("other", "install Docker")])
def test_names_both_remedies_where_no_engine_answers(tmp_path, monkeypatch, command, remedy):
    write_projects(tmp_path, "compose.yml")
    file = tmp_path / "bin" / command
    file.parent.mkdir()
    file.write_text("#!/bin/sh\nexit 1\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(file.parent))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    with pytest.raises(TaskError, match=f"{remedy}, or add a Procfile"):
        find_project(tmp_path, {})
