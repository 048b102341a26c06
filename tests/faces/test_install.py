"""Installed into a repository that has a noxfile and a justfile of its own, in every way that docs/install.md shows."""

import json
import os
import re
import shutil
import sys

import pytest
from machine import ROOT
from template import WAIT_FOR, commands, copy_template, run, shell

from coverage_tasks.cli import TASKS
from coverage_tasks.install import FACES, STAMP

PAGE = (ROOT / "docs" / "install.md").read_text()
INSTALL, COPY, UPDATE, ADD, PULL, BY_HAND = commands(PAGE, "cd")
BLOCKS = re.findall(r"```(?:python|just)\n(.*?)```", PAGE, re.DOTALL)

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{
        f"GIT_{who}_{what}": f"{who}@example.com".lower()
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
}
RECORDS = (STAMP, ".copier-answers.coverage-spy.yml")
WAIT_FOR_COUNT = (*WAIT_FOR, "counter/main.py")
EXECUTED = [1, 4, 5, 7, 10, 11, 12]


def git(*arguments, cwd):
    return run("git", *arguments, cwd=cwd, **GIT).stdout


def commit(root):
    git("add", "--all", cwd=root)
    if git("status", "--porcelain", cwd=root):
        git("commit", "--quiet", "--message", "x", cwd=root)


def install(checkout, *arguments):
    """Runs the task without an environment of its own, and returns what it prints."""
    command = (sys.executable, "-P", "-m", "coverage_tasks", "coverage-install", *map(str, arguments))
    return run(*command, cwd=checkout, PYTHONPATH=str(checkout / "scripts")).stdout


def mount(root, printed):
    """Do what coverage-install says, to the letter."""
    for name, lines in re.findall(r"^At the end of (\S+):\n\n((?:    .*\n)+)", printed, re.MULTILINE):
        with (root / name).open("a") as file:
            file.write(re.sub(r"^    ", "", lines, flags=re.MULTILINE))


def executed(root):
    return json.loads((root / "coverage.json").read_text())["files"]["counter/main.py"]["executed_lines"]


def default_output(root):
    """What `nox` and `just` do of themselves."""
    return [run(*command, cwd=root).stdout for command in (["nox"], ["just"])]


OWN_NOXFILE = """
import nox

nox.options.sessions = ["own"]
nox.options.default_venv_backend = "none"


@nox.session
def own(session):
    print("own session runs")


@nox.session{tags}
def {name}(session):
    print("{name} is the host's")
"""
OWN_JUSTFILE = """
set shell := ["bash", "-uc"]
set positional-arguments

own:
    @echo own recipe runs

{name} what="all":
    @echo {name} is the host\\'s
"""


@pytest.fixture
def owner(host):
    """Writes a noxfile and a justfile of the host's own, with a session and a recipe of some name."""

    def write(name):
        (host / "noxfile.py").write_text(OWN_NOXFILE.format(name=name, tags=""))
        (host / "justfile").write_text(OWN_JUSTFILE.format(name=name))
        return default_output(host)

    return write


def test_at_the_root_of_a_host_that_has_its_own(host, owner):
    before = owner("build")
    # Modules of the host's with the names of packages that are needed.
    for name in ("yaml.py", "coverage.py", "scripts/coverage.py", "scripts/honcho.py"):
        (host / name).parent.mkdir(exist_ok=True)
        (host / name).write_text("raise SystemExit('a module of the host was imported')\n")
    mount(host, install(ROOT, host))
    assert default_output(host) == before
    run("nox", "-s", "coverage", "--", *WAIT_FOR_COUNT, cwd=host)
    assert executed(host) == EXECUTED
    (host / "coverage.json").unlink()
    run("just", "coverage-report", cwd=host)
    assert executed(host) == EXECUTED
    assert run("nox", "-s", "build", cwd=host).stdout == "build is the host's\n"
    assert run("just", "build", cwd=host).stdout == "build is the host's\n"


def test_below_a_prefix_of_a_host_that_has_the_name_coverage(host, owner):
    before = owner("coverage")
    mount(host, install(ROOT, host, "--prefix", "tools/coverage"))
    assert default_output(host) == before
    assert run("nox", "-s", "coverage", cwd=host).stdout == "coverage is the host's\n"
    assert run("just", "coverage", cwd=host).stdout == "coverage is the host's\n"
    listed = json.loads(run("nox", "-l", "--json", "-t", "stack", cwd=host).stdout)
    assert [(entry["session"], entry["description"]) for entry in listed if "spy" in entry["session"]] == [
        ("spy-coverage", "Start, test, stop and report, in one (coverage is the noxfile's own session).")
    ]
    run("nox", "-s", "spy-coverage", "--", *WAIT_FOR_COUNT, cwd=host)
    assert executed(host) == EXECUTED
    (host / "coverage.json").unlink()
    run("just", "spy", "coverage-report", cwd=host)
    assert executed(host) == EXECUTED
    assert sorted(path.name for path in (host / "tools" / "coverage").iterdir()) == [
        *(".nox", "coverage-spy", "coverage.just", "justfile", "noxfile.py", "scripts")
    ]


def test_a_noxfile_that_is_run_as_a_script_has_every_session_once(host, owner):
    owner("coverage")
    mount(host, install(ROOT, host))
    with (host / "noxfile.py").open("a") as file:
        file.write("\nif __name__ == '__main__':\n    nox.main()\n")
    listing = ("-l", "--json", "-t", *sorted({task.group for task in TASKS}))
    as_script = json.loads(run("python3", "-W", "error", "noxfile.py", *listing, cwd=host).stdout)
    assert as_script == json.loads(run("python3", "-W", "error", "-m", "nox", *listing, cwd=host).stdout)
    assert [entry["session"] for entry in as_script if "spy" in entry["session"]] == ["spy-coverage"]
    assert len(as_script) == len(TASKS)


def test_a_session_of_the_hosts_that_comes_after_the_mount_replaces_ours(host):
    """As nox has it: the page says why the lines belong at the end."""
    install(ROOT, host, "--prefix", "tools")
    lines = BLOCKS[0].replace("tools/coverage", "tools")
    (host / "noxfile.py").write_text(lines + OWN_NOXFILE.format(name="coverage", tags='(name="coverage")'))
    answer = run("nox", "-s", "coverage", cwd=host)
    assert answer.stdout == "coverage is the host's\n"
    assert "spy-coverage" not in run("nox", "-l", cwd=host).stdout


def test_just_knows_no_name_twice_unless_told_to(host, owner):
    owner("coverage")
    install(ROOT, host, "--prefix", "tools/coverage")
    own = (host / "justfile").read_text()
    statement, module = BLOCKS[1:]
    (host / "justfile").write_text(own + statement)
    assert "`coverage` first defined on line" in run("just", "--list", cwd=host, check=1).stderr
    for text in (own + statement, statement + own):
        (host / "justfile").write_text("set allow-duplicate-recipes\n" + text)
        assert run("just", "coverage", cwd=host).stdout == "coverage is the host's\n"
        assert "coverage-report" in run("just", "--list", cwd=host).stdout
    (host / "justfile").write_text(own + module)
    assert run("just", "coverage", cwd=host).stdout == "coverage is the host's\n"
    assert "coverage-report" in run("just", "--list", "spy", cwd=host).stdout


# The ways of the page.


@pytest.fixture
def workspace(tmp_path):
    """A checkout of coverage-spy, with what use leaves in it, and a repository beside it."""
    checkout, mine = tmp_path / "coverage-spy", tmp_path / "my-monorepo"
    copy_template(checkout)
    for name in ("faults", "monorepos"):  # a thousand files that copier looks at each time
        shutil.rmtree(checkout / "tests" / name)
    git("init", "--quiet", "--initial-branch", "main", cwd=checkout)
    commit(checkout)
    for name in ("coverage-spy/payload/tracer.so", "scripts/coverage_tasks/__pycache__/cli.pyc", ".nox/x/x.py"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("left over\n")
    (mine / "scripts").mkdir(parents=True)
    (mine / "scripts" / "mine.py").write_text("print(1)\n")
    git("init", "--quiet", cwd=mine)
    commit(mine)
    return tmp_path


def tree(root):
    """Path -> content and mode of every file, but for the records of coverage-install and copier."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mode & 0o111)
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] != ".git" and not path.as_posix().endswith(RECORDS)
    }


def fresh(workspace, place):
    """What coverage-install puts into an empty directory now, as it would be at a place of a repository."""
    empty = workspace / "empty"
    shutil.rmtree(empty, ignore_errors=True)
    empty.mkdir()
    install(workspace / "coverage-spy", empty)
    return {f"{place}{name}": entry for name, entry in tree(empty).items()}


def update_is_right(workspace, place, update):
    """Change the template and the repository, update, and expect both changes; returns what there is besides."""
    checkout, mine = workspace / "coverage-spy", workspace / "my-monorepo"
    changed = f"{place}coverage.just"
    with (mine / changed).open("a") as file:
        file.write("# mine\n")
    commit(mine)
    with (checkout / "scripts" / "coverage_tasks" / "cli.py").open("a") as file:
        file.write("\n# new\n")
    (checkout / "coverage-spy" / "coverage_spy" / "new.py").write_text("NEW = 1\n")
    (checkout / "coverage-spy" / "coverage_spy" / "greenlets.py").unlink()
    commit(checkout)
    update()
    found, expected = tree(mine), fresh(workspace, place)
    assert found.pop(changed)[0].endswith(b"# mine\n")
    assert expected.pop(changed)
    assert f"{place}coverage-spy/coverage_spy/new.py" in found
    assert f"{place}coverage-spy/coverage_spy/greenlets.py" not in found
    assert expected.items() <= found.items()
    assert found.pop("scripts/mine.py")
    return found.keys() - expected.keys()


@pytest.mark.parametrize(
    ("first", "then"), [(INSTALL, INSTALL), (COPY, UPDATE), (ADD, PULL)], ids=["coverage-install", "copier", "subtree"]
)
def test_every_way_of_the_page_installs_and_updates(workspace, first, then):
    mine, place = workspace / "my-monorepo", "tools/coverage/"
    before = tree(mine)
    shell(first, workspace, **GIT)
    expected = fresh(workspace, place)
    assert len(expected) > 40
    assert not [name for name in expected if re.search("__pycache__|payload/|tests|examples|copier", name)]
    if first == ADD:
        assert expected.items() <= tree(mine).items()
    else:
        assert tree(mine) == before | expected
    commit(mine)
    more = update_is_right(workspace, place, lambda: shell(then, workspace, **GIT))
    assert bool(more) == (first == ADD)


@pytest.mark.parametrize("script", [INSTALL, COPY, ADD, BY_HAND], ids=["coverage-install", "copier", "subtree", "cp"])
@pytest.mark.parametrize("own", [None, "pyproject.toml", ".coveragerc"])
def test_no_way_of_the_page_changes_how_unit_tests_are_measured(workspace, script, own):
    """At the root where a way goes there, which is where the unit tests' coverage.py looks."""
    mine = workspace / "my-monorepo"
    (mine / "tests.py").write_text("def test():\n    raise NotImplementedError\n")
    if own:
        (mine / own).write_text({"p": "[tool.coverage.report]\n", ".": "[report]\n"}[own[0]] + "precision = 3\n")
    commit(mine)
    git("clean", "-fdxq", cwd=workspace / "coverage-spy")
    measured = ("python3", "-m", "coverage", "run", "tests.py"), ("python3", "-m", "coverage", "report")
    configured = ("python3", "-m", "coverage", "debug", "config")
    before = [run(*command, cwd=mine).stdout for command in (*measured, configured)]
    if script != ADD:  # which needs a prefix
        copied = script.partition("git add")[0]
        script = copied.replace(" --prefix tools/coverage", "").replace(" tools/coverage", " .")
    shell(script, workspace, **GIT)
    assert (mine / own).read_text().endswith("precision = 3\n") if own else not (mine / ".coveragerc").exists()
    assert [run(*command, cwd=mine).stdout for command in (*measured, configured)] == before
    places = [place.relative_to(mine).as_posix() for place in mine.rglob("coveragerc")]
    assert places == [f"{'tools/coverage/' * (script == ADD)}scripts/coveragerc"]
    assert not (mine / places[0]).is_symlink()


def test_copier_too_leaves_a_noxfile_and_a_justfile_of_the_hosts_alone(workspace):
    checkout, mine = workspace / "coverage-spy", workspace / "my-monorepo"
    for name in FACES:
        (mine / name).write_text("# mine\n")
    commit(mine)
    shutil.copytree(mine, workspace / "ours")
    install(checkout, workspace / "ours")
    run("copier", "copy", "--quiet", "../coverage-spy", ".", cwd=mine, **GIT)
    assert tree(mine) == tree(workspace / "ours")
    assert (mine / "noxfile.py").read_text() == "# mine\n"
    commit(mine)
    (checkout / "noxfile.py").write_text("# new\n")
    commit(checkout)
    install(checkout, workspace / "ours")
    run("copier", "update", "--quiet", "--answers-file", RECORDS[1], cwd=mine, **GIT)
    assert tree(mine) == tree(workspace / "ours")
    assert (mine / "noxfile.py").read_text() == "# mine\n"


def test_a_relative_destination_is_seen_from_where_the_user_is(workspace):
    run("nox", "-f", "coverage-spy/noxfile.py", "-s", "coverage-install", "--", "my-monorepo", "-q", cwd=workspace)
    run("just", "coverage-install", "../../my-monorepo", "--prefix", "a b", cwd=workspace / "coverage-spy" / "docs")
    for place in ("", "a b"):
        assert (workspace / "my-monorepo" / place / STAMP).is_file()


def test_by_hand(workspace):
    checkout, mine = workspace / "coverage-spy", workspace / "my-monorepo"
    git("clean", "-fdxq", cwd=checkout)
    before = tree(mine)
    shell(BY_HAND, workspace)
    assert tree(mine) == before | fresh(workspace, "")
    assert "unchanged" in install(checkout, mine)
    assert (mine / STAMP).is_file()
