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


@pytest.mark.engine
@pytest.mark.parametrize(
    "text",
    [
        "COMPOSE_FILE=a.yml:deploy/b.yml",
        "export COMPOSE_FILE=a.yml:deploy/b.yml",
        "  COMPOSE_FILE=a.yml:deploy/b.yml",
        "COMPOSE_FILE = a.yml:deploy/b.yml",
        "COMPOSE_FILE: a.yml:deploy/b.yml",
        "COMPOSE_FILE=a.yml:deploy/b.yml # of the developers",
        "COMPOSE_FILE='a.yml:deploy/b.yml' # of the developers",
        'PLACE=deploy\nCOMPOSE_FILE="a.yml:$PLACE/b.yml"',
        "COMPOSE_FILE=a.yml:${PLACE:-deploy}/b.yml",
        "\ufeffCOMPOSE_FILE=a.yml:deploy/b.yml",
        "OTHER=1\r\nCOMPOSE_FILE=a.yml:deploy/b.yml\r\n",
        "COMPOSE_FILE=other.yml\nCOMPOSE_FILE=a.yml:deploy/b.yml",
        "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE='a.yml,deploy/b.yml'",
    ],
)
@pytest.mark.parametrize("name", [".env", "prod.env"])
def test_takes_the_files_that_compose_takes_out_of_dotenv(tmp_path, monkeypatch, text, name):
    write_projects(tmp_path, "compose.yml", "a.yml", "deploy/b.yml", "other.yml")
    (tmp_path / name).write_text(text)
    (tmp_path / ".env").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    environ = COMPOSE if name == ".env" else COMPOSE | {"COMPOSE_ENV_FILES": name}
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    assert find_project(tmp_path, environ).files == (tmp_path / "a.yml", tmp_path / "deploy/b.yml")


@pytest.mark.engine
def test_says_in_compose_s_words_what_is_wrong_with_dotenv(tmp_path):
    write_projects(tmp_path, "compose.yml")
    (tmp_path / ".env").write_text("COMPOSE_FILE='compose.yml\n")
    with pytest.raises(TaskError, match=r"compose cannot read its \.env, correct it: .*unterminated"):
        find_project(tmp_path, COMPOSE)
