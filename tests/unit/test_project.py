import os
import sys
from pathlib import Path

import pytest
from checkouts import write_projects

from coverage_tasks import files, project
from coverage_tasks.errors import TaskError
from coverage_tasks.places import state_directory
from coverage_tasks.project import EXAMPLE, TOOL, Project
from coverage_tasks.recorded.stack import Stack, write_stack
from coverage_tasks.runtimes import choice
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.settings import own_environment
from coverage_tasks.text import printable

COMPOSE = {"COVERAGE_SPY_RUNTIME": "compose"}
PROCFILE = {"COVERAGE_SPY_RUNTIME": "procfile"}


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (["docker-compose.yml"], ["docker-compose.yml"]),
        (["docker-compose.yml", "compose.yaml"], ["compose.yaml"]),
        (["compose.yml", "compose.override.yml"], ["compose.yml", "compose.override.yml"]),
        (
            ["docker-compose.yaml", "docker-compose.override.yaml"],
            ["docker-compose.yaml", "docker-compose.override.yaml"],
        ),
        (["compose.yml", "Procfile"], ["compose.yml"]),
    ],
)
def test_finds_the_files_that_compose_finds(tmp_path, there, expected):
    write_projects(tmp_path, *there)
    found = find_project(tmp_path, COMPOSE)
    assert found.runtime == "compose"
    assert found.files == tuple(tmp_path / name for name in expected)


def test_compose_file_wins_over_default_names(tmp_path):
    write_projects(tmp_path, "compose.yml", "deploy/a.yml", "deploy/b.yml")
    found = find_project(tmp_path, COMPOSE | {"COMPOSE_FILE": f"deploy/a.yml{os.pathsep}deploy/b.yml"})
    assert found.files == (tmp_path / "deploy/a.yml", tmp_path / "deploy/b.yml")
    assert found.root == tmp_path


def test_names_the_compose_files_of_folders_when_there_is_none_in_the_root(tmp_path):
    write_projects(tmp_path, "chart/values.yml", ".hidden/compose.yml", "node_modules/compose.yml")
    for name in ("deploy/a b.yml", "deploy/compose.yml", "ops/infra/stack.yaml", "z/compose.yaml"):
        write_projects(tmp_path, name)
        (tmp_path / name).write_text("name: shop\nservices:\n  web: {image: web}\n")
    with pytest.raises(TaskError) as error:
        find_project(tmp_path, COMPOSE)
    named = "such as COMPOSE_FILE=deploy/compose.yml or COMPOSE_FILE='deploy/a b.yml' or COMPOSE_FILE=z/compose.yaml"
    assert str(error.value).endswith(named)
    environ = COMPOSE | {"COMPOSE_FILE": "deploy/compose.yml"}
    assert find_project(tmp_path, environ).files == (tmp_path / "deploy/compose.yml",)


def test_running_processes_keep_their_runtime(tmp_path):
    write_projects(tmp_path, "compose.yml", "Procfile")
    state_directory(tmp_path).mkdir(parents=True)
    write_stack(state_directory(tmp_path), Stack("procfile", "p", on_host=True))
    assert find_project(tmp_path, {}).runtime == "procfile"


@pytest.mark.parametrize(
    ("there", "environ", "message"),
    [
        ([], {}, "neither a compose file nor a Procfile in .*COMPOSE_FILE"),
        ([], COMPOSE, "no compose file in .*COMPOSE_FILE"),
        (["compose.yml"], PROCFILE, "no Procfile in .*name: command"),
        (["Procfile"], COMPOSE, "no compose file in "),
        ([], {"COMPOSE_FILE": "gone.yml"}, "COMPOSE_FILE names .*gone.yml, which does not exist"),
        (["Procfile"], {"COVERAGE_SPY_RUNTIME": "podman"}, "'podman': set it to auto, compose or procfile"),
    ],
)
def test_says_what_is_missing(tmp_path, there, environ, message):
    write_projects(tmp_path, *there)
    with pytest.raises(TaskError, match=message) as raised:
        find_project(tmp_path, environ)
    assert "\n" not in str(raised.value)


def test_nothing_is_written_through_a_link_that_waits_beside_a_result(tmp_path):
    (tmp_path / "precious").write_text("mine")
    for name in (".coverage.json.part", ".coverage.json.0.part"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    with files.beside(tmp_path / "coverage.json") as part:
        part.write_text("ours")
    assert not (tmp_path / "coverage.json").is_symlink()
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "\ud800", "x" * 300, ".hidden", "web\n"])
def test_service_of_any_name_has_a_directory_of_its_own(tmp_path, name):
    found = Project(tmp_path, "compose", ())
    assert found.journals_of(name).parent == found.journals
    assert found.journals_of(name).name not in ("", ".", "..")
    assert found.journals_of("web").name == "web"


def test_windows_is_told_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "WINDOWS", True)
    with pytest.raises(TaskError, match="on Windows coverage-spy runs inside WSL"):
        find_project(tmp_path, {})


def test_own_checkout_takes_the_example(monkeypatch):
    monkeypatch.delenv("COMPOSE_FILE", raising=False)
    assert project.root_in(TOOL) == TOOL / "examples" / "shop"
    assert project.root_in(TOOL / "docs") == TOOL / "docs"


def test_copy_with_a_compose_file_does_not_take_the_example(tmp_path, monkeypatch):
    write_projects(tmp_path, "compose.yml", "examples/shop/compose.yml")
    monkeypatch.setattr(project, "TOOL", tmp_path)
    monkeypatch.setattr(project, "EXAMPLE", tmp_path / "examples/shop")
    assert project.root_in(tmp_path) == tmp_path
    assert find_project(tmp_path, COMPOSE).files == (tmp_path / "compose.yml",)


def test_own_environment_hides_the_tasks(tmp_path):
    ours = str(Path(sys.prefix) / "bin")
    environ = {
        "PYTHONPATH": os.pathsep.join([str(TOOL / "scripts"), "/mine"]),
        "PATH": os.pathsep.join([ours, "/usr/bin"]),
        "VIRTUAL_ENV": sys.prefix,
        "HOME": "/root",
    }
    other, example = (Project(root, "procfile", ()) for root in (tmp_path, EXAMPLE))
    assert own_environment(other, environ) == environ | {"PYTHONPATH": "/mine"}
    faces = {"COVERAGE_SPY_JUST": "just", "COVERAGE_SPY_USAGE": "just coverage"}  # not those of what is run here
    assert own_environment(other, environ | faces) == own_environment(other, environ)
    below_nox = environ | {"NOX_CURRENT_SESSION": "coverage"}
    assert own_environment(other, below_nox) == {
        "PYTHONPATH": "/mine",
        "PATH": "/usr/bin",
        "HOME": "/root",
        "NOX_CURRENT_SESSION": "coverage",
    }
    assert own_environment(example, below_nox) == below_nox | {"PYTHONPATH": "/mine"}
    assert "PYTHONPATH" not in own_environment(other, {"PYTHONPATH": str(TOOL / "scripts"), "PATH": "/bin"})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error title=x::y", "\\x3a:error title=x::y"),
        ("  ::add-mask::total", "  \\x3a:add-mask::total"),
        ("a::b", "a::b"),
        ("x ##[error]y ##vso[task.x]z #[a] # b", "x #\\x23[error]y #\\x23vso[task.x]z \\x23[a] # b"),
        ("\x1b]0;x\n\u202e", "\\x1b]0;x\\n\\u202e"),
    ],
)
def test_no_text_is_a_command_of_a_runner_or_a_terminal(text, shown):
    assert printable(text) == shown
