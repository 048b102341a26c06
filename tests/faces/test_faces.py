"""nox and just offer the same tasks, and both can be mounted in a repository that has its own."""

import json
import re

from machine import ROOT
from template import copy_template, run

WAIT_FOR_COUNT = ("python3", "-c", "import time; time.sleep(1)")
EXECUTED = [1, 4, 5, 7, 10, 11, 12]


def sessions(cwd=ROOT):
    """Name -> (description, group) of the sessions that `nox -l --json` lists."""
    listed = json.loads(run("nox", "-l", "--json", "-t", "stack", "reports", "template", cwd=cwd).stdout)
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


def executed(report, name):
    return json.loads(report.read_text())["files"][name]["executed_lines"]


def test_mounted_in_a_host_noxfile_that_has_its_own_sessions(host):
    (host / "tools" / "coverage").mkdir(parents=True)
    copy_template(host / "tools" / "coverage")
    (host / "noxfile.py").write_text(
        "import sys\nimport nox\n"
        'sys.path.insert(0, "tools/coverage/scripts")\nimport coverage_sessions\n'
        "@nox.session\ndef own(session):\n    print('own session runs')\n"
    )
    assert "own session runs" in run("nox", cwd=host).stdout
    run("nox", "-s", "coverage", "--", *WAIT_FOR_COUNT, cwd=host)
    assert executed(host / "coverage.json", "counter/main.py") == EXECUTED
    assert (host / "htmlcov" / "index.html").is_file()


def test_mounted_in_a_host_justfile_with_its_own_shell(host):
    (host / "tools" / "coverage").mkdir(parents=True)
    copy_template(host / "tools" / "coverage")
    (host / "justfile").write_text(
        "set shell := ['bash', '-uc']\nset positional-arguments\n\nown:\n    @echo own recipe runs\n\n"
        "import 'tools/coverage/coverage.just'\n"
    )
    assert "own recipe runs" in run("just", cwd=host).stdout
    run("just", "coverage", *WAIT_FOR_COUNT, cwd=host)
    assert executed(host / "coverage.json", "counter/main.py") == EXECUTED
    assert not (host / "tools" / "coverage" / "coverage.json").exists()
