"""git says the same whatever a user has set, a hook has exported, and wherever the root lies in its repository."""

import os
import shutil

import pytest
from checkouts import commit, git, write
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.doctor import examine
from coverage_tasks.gates.check import check
from coverage_tasks.gates.patch import annotations, measure_patch
from coverage_tasks.git import MOST_WORDS, SETTINGS, ask, is_in_repository, refusal
from coverage_tasks.install import _describe
from coverage_tasks.results.results import read_results
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.sources.branch import find_changes
from coverage_tasks.sources.history import History
from coverage_tasks.sources.repository import Repository, digest_of

RULES = "def price(n):\n    if n > 2:\n        return n * 2\n    return n + 0\n"
CHANGED = RULES.replace("+ 0", "+ 1")
EXECUTED = [1, 2, 3]
FILES = {"svc/rules.py": RULES, "svc/naïve.py": "a = 1\n", "coverage-spy.yml": "thresholds: {patch: 80}\n"}
IGNORED = ".gitignore", "build/\ncoverage-data/\n.coverage*\n"


def made(top):
    """The tasks' root is a directory of git's, and a branch changes a statement there that nothing executes."""
    run = Run(top / "backend", FILES)
    git(top, "init", "-q", "-b", "main")
    write(top, {"before.py": "first = 1\n", "backend/build/lib/rules.py": CHANGED, IGNORED[0]: IGNORED[1]})
    commit(top)
    git(top, "mv", "before.py", "moved.py")
    git(top, "checkout", "-q", "-b", "topic")
    commit(top, {"backend/svc/rules.py": CHANGED})
    write(top, {"backend/svc/new.py": "n = 1\n"})
    image = {"/app/rules.py": CHANGED.encode()}
    run.service("svc", image)
    run.lines("svc", {"/app/rules.py": (CHANGED.encode(), EXECUTED)})
    combine(run.project)
    return run


@pytest.fixture
def run(tmp_path):
    return made(tmp_path / "top")


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory):
    """A run that no test changes, with another repository beside it, and what is told of it."""
    run = made(tmp_path_factory.mktemp("git") / "top")
    other = run.project.root.parent / "other"
    git(run.project.root, "init", "-q", str(other))
    commit(other, {"elsewhere.py": "e = 1\n"})
    (run.project.root.parent / ".git/info/exclude").write_text("/other\n")
    return run, told(run)


def told(run):
    """All that is asked of git, and what follows from it."""
    root, results = run.project.root, read_results(run.project)
    patch, history = measure_patch(run.project, results), History(root)
    versions = history.find({"rules.py": {digest_of(text.encode()) for text in (RULES, CHANGED)}})
    return {
        "files": dict(Repository.read(root).files),
        "refused": Repository.read(root).refused,
        "changes": find_changes(root),
        "versions": versions,
        "contents": history.contents(history.commit, ["svc/rules.py", "svc/naïve.py"]),
        "renamed": History(root.parent)._read_renames(git(root, "rev-parse", "main").strip()),
        "patch": patch,
        "annotations": list(annotations(patch)),
        "described": _describe(root.parent),
    }


def test_a_root_below_gits_own(run):
    found = told(run)
    assert found["files"].keys() == {"svc/rules.py", "svc/naïve.py", "svc/new.py"}
    assert found["changes"].files == {"svc/rules.py", "svc/new.py"}
    assert sorted(v.path for versions in found["versions"].values() for v in versions) == ["svc/rules.py"] * 2
    assert found["contents"] == {"svc/rules.py": CHANGED.encode(), "svc/naïve.py": b"a = 1\n"}
    assert found["renamed"] == {"before.py": "moved.py"}
    assert [(v.rule, v.held, v.found) for v in check(run.project) if v.rule == "patch"] == [("patch", False, "0.00 %")]
    assert found["patch"].files == {"svc/rules.py": (0, 1)}
    assert found["annotations"] == [
        "::warning file=backend/svc/rules.py,line=4,endLine=4,title=Not executed::"
        "No service executed 1 changed statement here"
    ]


HOSTILE = {
    **dict.fromkeys(("color.ui", "color.diff"), "always"),
    **dict.fromkeys(("diff.relative", "diff.noprefix", "diff.mnemonicPrefix", "core.quotePath", "log.follow"), "true"),
    **{"log.showSignature": "true", "log.showRoot": "false", "log.diffMerges": "first-parent"},
    **{"diff.orderFile": "/nowhere", "diff.renameLimit": "1", "diff.interHunkContext": "9", "diff.context": "9"},
    **{"diff.renames": "false", "diff.algorithm": "patience", "diff.indentHeuristic": "false"},
    **{"diff.srcPrefix": "x/", "diff.dstPrefix": "y/", "diff.ignoreSubmodules": "all", "diff.submodule": "log"},
    **{"diff.wsErrorHighlight": "all", "diff.colorMoved": "zebra", "diff.suppressBlankEmpty": "true"},
    **{"diff.external": "false", "core.fsmonitor": "false", "core.pager": "false", "log.decorate": "full"},
    **{"log.abbrevCommit": "true", "format.pretty": "fuller", "submodule.recurse": "true"},
}


@pytest.mark.parametrize("name", [*HOSTILE, "*.py binary", "*.py diff=own", "all"])
def test_no_setting_of_the_users_changes_what_is_parsed(unchanged, tmp_path, monkeypatch, name):
    run, before = unchanged
    settings = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    for each, value in HOSTILE.items() if name == "all" else [(name, HOSTILE[name])] if name in HOSTILE else []:
        git(run.project.root, "config", "--file", str(settings), each, value)
    if name not in HOSTILE:
        (tmp_path / "attributes").write_text("*.py diff=own\n" if name == "all" else f"{name}\n")
        git(tmp_path, "config", "--file", str(settings), "core.attributesFile", str(tmp_path / "attributes"))
        for key in ("command", "textconv"):
            git(tmp_path, "config", "--file", str(settings), f"diff.own.{key}", "false")
        git(tmp_path, "config", "--file", str(settings), "diff.own.binary", "true")
    assert told(run) == before


def test_every_setting_has_a_hostile_one():
    assert set(SETTINGS) <= set(HOSTILE)


HOOK = {
    "GIT_DIR": "other/.git",
    "GIT_WORK_TREE": "other",
    "GIT_INDEX_FILE": "other/index",
    "GIT_OBJECT_DIRECTORY": "other/objects",
    "GIT_COMMON_DIR": "other/.git",
    "GIT_PREFIX": "elsewhere/",
    "GIT_NAMESPACE": "elsewhere",
    "GIT_CONFIG_PARAMETERS": "'core.worktree'='/'",
    "GIT_CEILING_DIRECTORIES": "backend",
    "GIT_EXTERNAL_DIFF": "false",
    "GIT_DIFF_OPTS": "--unified=9",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_TRACE": "1",
}


@pytest.mark.parametrize("name", [*HOOK, "all"])
def test_no_variable_of_a_hook_reaches_git(unchanged, monkeypatch, name):
    """A hook of a linked worktree has GIT_DIR, those of `commit --all` GIT_INDEX_FILE as well."""
    run, before = unchanged
    for each, value in HOOK.items() if name == "all" else [(name, HOOK[name])]:
        path = run.project.root.parent / value
        monkeypatch.setenv(each, str(path) if path.exists() or "/" in value[1:] else value)
    assert told(run) == before


def test_a_linked_worktree_is_its_own(run, monkeypatch, tmp_path):
    linked = tmp_path / "linked"
    git(run.project.root, "worktree", "add", "-q", "-b", "other", str(linked), "main")
    monkeypatch.setenv("GIT_DIR", str(run.project.root.parent / ".git/worktrees/linked"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(run.project.root.parent / ".git/worktrees/linked/index"))
    assert find_changes(run.project.root).files == {"svc/rules.py", "svc/new.py"}
    assert find_changes(linked).files == set()


def test_a_patch_of_which_nothing_is_known_is_not_held(run):
    run.forget()
    run.services.clear()
    run.service("svc", {"/app/rules.py": CHANGED.encode()})
    run.service("other", {"/srv/naïve.py": b"a = 1\n"})
    run.lines("other", {"/srv/naïve.py": (b"a = 1\n", [1])})
    combine(run.project)
    (verdict,) = (verdict for verdict in check(run.project) if verdict.rule == "patch")
    assert not verdict.held
    assert verdict.sentence.endswith("80 % wanted; of changes in svc/rules.py nothing is known")


def test_a_patch_of_which_an_old_image_tells_nothing_is_not_held(run):
    """The file is known, as far as it is what it was: what changed is what is unknown of it."""
    run.forget()
    run.services.clear()
    run.service("svc", {"/app/rules.py": RULES.encode()})
    run.lines("svc", {"/app/rules.py": (RULES.encode(), EXECUTED)})
    assert list(combine(run.project).services["svc"].carried) == ["svc/rules.py"]
    (verdict,) = (verdict for verdict in check(run.project) if verdict.rule == "patch")
    assert (verdict.held, verdict.found) == (False, "-")
    assert verdict.sentence.endswith("; of changes in svc/rules.py nothing is known")


def break_settings(top, monkeypatch):
    config = top / ".git/config"
    config.write_text(f"{config.read_text()}[core\n")


def break_the_users(top, monkeypatch):
    (top.parent / "gitconfig").write_text("[core\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(top.parent / "gitconfig"))


def extend(top, monkeypatch):
    git(top, "config", "core.repositoryFormatVersion", "1")
    git(top, "config", "extensions.unheardOf", "true")


def damage_index(top, monkeypatch):
    (top / ".git/index").write_bytes(b"nonsense")


def give_away(top, monkeypatch):
    if os.geteuid():
        pytest.skip("only root can give a repository to somebody else")
    for path in (top, top / ".git"):
        os.chown(path, 12345, 12345)


REFUSED = {
    break_settings: "bad config line",
    break_the_users: "bad config line",
    extend: "unheardof",
    damage_index: "index file",
    give_away: "git config --global --add safe.directory",
}


@pytest.mark.parametrize("refuse", REFUSED, ids=lambda refuse: refuse.__name__)
def test_what_git_refuses_is_a_finding_in_its_own_words(run, monkeypatch, refuse):
    """To take it for "no git" would bring in what it ignores, here a copy that makes the sources ambiguous."""
    refuse(run.project.root.parent, monkeypatch)
    (finding,) = (finding for finding in combine(run.project).findings if finding.kind == "git")
    assert REFUSED[refuse] in finding.evidence
    assert "build/lib/rules.py" in Repository.read(run.project.root).files
    assert finding.remedy
    assert not finding.note
    if refuse is not damage_index:
        assert REFUSED[refuse] in refusal(run.project.root)
        assert REFUSED[refuse] in find_changes(run.project.root).reason


def test_the_doctor_says_it_before_the_first_run(tmp_path, monkeypatch):
    write(tmp_path, {"Procfile": "web: python main.py\n", "main.py": "a = 1\n"})
    git(tmp_path, "init", "-q")
    environ = {"COVERAGE_SPY_RUNTIME": "procfile"}
    assert "git" not in {finding.kind for finding in examine(find_project(tmp_path, environ), environ)[0]}
    break_settings(tmp_path, monkeypatch)
    assert "git" in {finding.kind for finding in examine(find_project(tmp_path, environ), environ)[0]}


def test_git_that_is_not_installed_is_missed_where_there_is_a_repository_only(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Repository.read(run.project.root).refused == "git cannot be started (No such file or directory)"
    shutil.rmtree(run.project.root.parent / ".git")
    assert Repository.read(run.project.root).refused == refusal(run.project.root) == ""
    assert "git" not in {finding.kind for finding in combine(run.project).findings}


def test_what_git_takes_for_a_repository(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    assert not is_in_repository(tmp_path / "a/b")
    (tmp_path / ".git").mkdir()  # what hides one from a container
    assert not is_in_repository(tmp_path / "a/b")
    assert refusal(tmp_path / "a/b") == ""
    git(tmp_path, "init", "-q")
    assert is_in_repository(tmp_path / "a/b")
    assert not is_in_repository(tmp_path / "missing")
    (tmp_path / "a/.git").write_text("gitdir: /nowhere\n")
    assert "/nowhere" in refusal(tmp_path / "a/b")


def test_words_are_one_short_line(run):
    words = ask(run.project.root, "rev-parse", "no\nsuch " + "x" * 9999).error
    assert "\n" not in words
    assert len(words) == MOST_WORDS
