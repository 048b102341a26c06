"""nox and just offer the same tasks."""

import json
import re

import pytest
from machine import ROOT
from template import copy_template, run


def sessions(cwd=ROOT):
    """Name -> (description, group) of the sessions that `nox -l --json` lists."""
    groups = ("stack", "reports", "runs", "gates", "setup", "template")
    listed = json.loads(run("nox", "-l", "--json", "-t", *groups, cwd=cwd).stdout)
    return {entry["session"]: (entry["description"].rstrip("."), tuple(entry["tags"])) for entry in listed}


def recipes(cwd=ROOT):
    """Name -> (documentation, group) of the public recipes of the justfile."""
    dump = json.loads(run("just", "--dump", "--dump-format", "json", cwd=cwd).stdout)
    return {
        name: (recipe["doc"], tuple(attribute["group"] for attribute in recipe["attributes"] if "group" in attribute))
        for name, recipe in dump["recipes"].items()
        if not recipe["private"]
    }


def test_nox_and_just_have_the_same_names_descriptions_and_groups():
    assert recipes() == sessions()


def test_every_task_of_the_table_in_the_readme_exists():
    table = re.findall(r"^\| (`[a-z].*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = {name for cell in table for name in re.findall(r"`([a-z-]+)", cell)}
    groups = {name for name, (_, group) in sessions().items() if group != ("template",)}
    assert named == groups


def test_bare_nox_lists_and_starts_nothing():
    output = run("nox", cwd=ROOT).stdout
    assert "No sessions selected" in output
    assert "coverage-report" in output
    assert "Running session" not in output


def test_bare_just_lists_the_recipes():
    assert "coverage-report" in run("just", cwd=ROOT).stdout


@pytest.mark.parametrize(
    ("justfile", "command", "usage"),
    [
        ("", ("nox", "-s", "coverage", "--"), "nox -s coverage --"),
        ("import 'coverage.just'\n", ("just", "coverage"), "just coverage"),
        ("mod spy 'coverage.just'\n", ("just", "spy", "coverage"), "just spy coverage"),
    ],
)
def test_usage_is_what_a_user_types(host, justfile, command, usage):
    copy_template(host)
    (host / "justfile").write_text(justfile)
    shown = run(*command, "--help", cwd=host).stdout
    assert f"usage: {usage} [-h] [-q] " in shown
    assert "coverage_tasks" not in shown.partition("usage: ")[2]


def test_arguments_reach_the_task_whole(host):
    copy_template(host)
    (host / "a b.py").write_text(
        "import sys\nprint(sys.argv[1:])\nraise SystemExit(7 if sys.argv[1:] == ['c d'] else 1)"
    )
    run("just", "up-coverage", cwd=host)
    try:
        result = run("just", "test-with-coverage", "python3", "a b.py", "c d", cwd=host, check=1)
        assert "exit code 7" in result.stdout + result.stderr
    finally:
        run("just", "down-coverage", cwd=host)
