"""What a branch changes, as git tells it, and what is said where it can't."""

import pytest
from portal.sites import git, on_a_branch

from coverage_tasks.sources.branch import find_changes


@pytest.fixture
def root(tmp_path):
    """A repository whose branch adds one file, moves one and removes one."""
    for name in ("kept", "removed", "moved", "edited", "added", "new name"):
        (tmp_path / f"{name}.py").write_text(f"name = {name!r}\n" * 9)
    (tmp_path / "new name.py").write_bytes((tmp_path / "moved.py").read_bytes())
    on_a_branch(tmp_path, ["added.py", "new name.py"])
    git(tmp_path, "rm", "-q", "removed.py", "moved.py")
    git(tmp_path, "commit", "-q", "-m", "fewer")
    return tmp_path


COMMITTED = {"added.py", "removed.py", "moved.py", "new name.py"}


def test_commits_of_the_branch(root):
    found = find_changes(root)
    assert (found.base, found.files, found.reason) == ("main", COMMITTED, "")


def test_what_is_not_committed_too(root):
    (root / "edited.py").write_text("other = 1\n")
    (root / "fresh\nfile.py").touch()
    (root / "kept.py").touch()
    assert find_changes(root).files == {*COMMITTED, "edited.py", "fresh\nfile.py"}


def test_what_the_default_branch_got_since_does_not_count(root):
    git(root, "switch", "-q", "main")
    (root / "edited.py").write_text("main = 1\n")
    git(root, "commit", "-q", "-a", "-m", "later")
    git(root, "switch", "-q", "topic")
    assert find_changes(root).files == COMMITTED


def test_paths_are_those_of_the_root_and_below(root):
    (root / "services").mkdir()
    (root / "services" / "main.py").touch()
    assert find_changes(root / "services").files == {"main.py"}


def test_the_remote_says_which_branch_is_the_default(root, tmp_path_factory):
    clone = tmp_path_factory.mktemp("clone")
    git(root, "branch", "-q", "-m", "main", "trunk")
    git(root, "switch", "-q", "trunk")
    git(clone, "clone", "-q", str(root), ".")
    (clone / "edited.py").write_text("other = 1\n")
    assert (find_changes(clone).base, find_changes(clone).files) == ("origin/trunk", {"edited.py"})


def test_a_history_that_is_not_there_is_said(root):
    git(root, "switch", "-q", "--orphan", "alone")
    git(root, "commit", "-q", "--allow-empty", "-m", "alone")
    assert find_changes(root).reason == "git knows no common commit with main: fetch more of the history"


def test_no_default_branch_is_said(root):
    git(root, "branch", "-q", "-m", "main", "trunk")
    assert find_changes(root).reason == "git knows no default branch here"


def test_no_repository_and_no_git_are_said(tmp_path, monkeypatch):
    assert find_changes(tmp_path).reason == "git knows no default branch here"
    git(tmp_path, "init", "-q")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_changes(tmp_path).reason == (
        "git does not read this repository: git cannot be started (No such file or directory)"
    )


def test_programs_that_the_repository_names_for_a_diff_are_not_started(root):
    (root / ".gitattributes").write_text("*.py diff=evil\n")
    for key in ("diff.external", "diff.evil.command", "diff.evil.textconv"):
        git(root, "config", key, f"touch {root}/started; true")
    (root / "edited.py").write_text("other = 1\n")
    assert "edited.py" in find_changes(root).files
    assert not (root / "started").exists()
