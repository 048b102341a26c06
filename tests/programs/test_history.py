"""Old versions of files, found in git by name and digest."""

import pytest
from checkouts import commit, git, write

from coverage_tasks.sources.history import History
from coverage_tasks.sources.repository import digest_of

OLD = "import os\n" * 5
NEW = "import sys\n" * 5
DIGEST = digest_of(OLD.encode())


@pytest.fixture
def root(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path


def found(root, name="main.py"):
    return [(v.path, v.now) for v in History(root).find({name: {DIGEST}}).get(DIGEST, ())]


def test_finds_an_old_version_with_its_newest_commit(root):
    commit(root, {"orders/main.py": OLD})
    second = commit(root, {"other.py": NEW})
    commit(root, {"orders/main.py": NEW})
    (version,) = History(root).find({"main.py": {DIGEST}})[DIGEST]
    assert (version.path, version.now) == ("orders/main.py", "orders/main.py")
    assert git(root, "rev-parse", f"{second}:orders/main.py").strip() == version.blob
    assert History(root).read(version) == OLD.encode()


def test_finds_what_is_only_not_committed_yet(root):
    head = commit(root, {"main.py": OLD})
    write(root, {"main.py": NEW})
    (version,) = History(root).find({"main.py": {DIGEST}})[DIGEST]
    assert version.commit == head


def test_finds_versions_of_other_branches(root):
    commit(root, {"main.py": NEW})
    git(root, "checkout", "-q", "-b", "feature")
    commit(root, {"main.py": OLD})
    git(root, "checkout", "-q", "main")
    assert found(root) == [("main.py", "main.py")]


def test_follows_a_file_that_was_renamed_or_moved_since(root):
    commit(root, {"orders/main.py": OLD})
    git(root, "mv", "orders", "services")
    write(root, {"services/main.py": OLD + "import re\n"})
    commit(root)
    assert found(root) == [("orders/main.py", "services/main.py")]
    git(root, "mv", "services/main.py", "services/app.py")
    assert found(root) == [("orders/main.py", "services/app.py")]


def test_names_no_file_of_today_when_it_is_gone(root):
    commit(root, {"main.py": OLD, "stays.py": "a = 1\n"})
    git(root, "rm", "-q", "main.py")
    commit(root)
    assert found(root) == [("main.py", None)]


def test_a_link_is_no_version(root):
    (root / "main.py").symlink_to(OLD[:9])
    commit(root)
    assert History(root).find({"main.py": {digest_of(OLD[:9].encode())}}) == {}


def test_every_path_that_had_the_content_is_named(root):
    commit(root, {"a/main.py": OLD, "b/main.py": OLD})
    commit(root, {"a/main.py": NEW})
    assert sorted(found(root)) == [("a/main.py", "a/main.py"), ("b/main.py", "b/main.py")]


def test_knows_submodules_and_directories_below_the_top(root, tmp_path_factory):
    library = tmp_path_factory.mktemp("library")
    git(library, "init", "-q")
    commit(library, {"text/main.py": OLD})
    commit(library, {"text/main.py": NEW})
    git(root, "submodule", "add", "-q", str(library), "libs/text")
    commit(root, {"deep/one/main.py": OLD})
    commit(root, {"deep/one/main.py": NEW})
    assert found(root) == [
        ("deep/one/main.py", "deep/one/main.py"),
        ("libs/text/text/main.py", "libs/text/text/main.py"),
    ]
    assert found(root / "deep") == [("one/main.py", "one/main.py")]
    (version,) = History(root / "libs/text").find({"main.py": {DIGEST}})[DIGEST]
    assert History(root).read(version) == OLD.encode()


def test_a_shallow_clone_knows_what_it_has(root, tmp_path_factory):
    commit(root, {"main.py": OLD})
    commit(root, {"main.py": NEW})
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "-q", "--depth", "1", f"file://{root}", ".")
    assert History(clone).shallow
    assert found(clone) == []
    assert not History(root).shallow


def test_a_partial_clone_fetches_nothing(root, tmp_path_factory):
    git(root, "config", "uploadpack.allowFilter", "true")
    commit(root, {"main.py": OLD})
    commit(root, {"main.py": NEW})
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "-q", "--filter=blob:none", f"file://{root}", ".")
    before = sorted((clone / ".git").rglob("*.pack"))
    assert found(clone) == []
    assert sorted((clone / ".git").rglob("*.pack")) == before


@pytest.mark.parametrize("name", ["no.py", "ma*n.py", 'quo"te.py', "naïve.py"])
def test_other_names_find_what_is_under_them_only(root, name):
    commit(root, {"main.py": OLD, "naïve.py": OLD})
    assert found(root, name) == ([(name, name)] if name == "naïve.py" else [])


def test_without_git_there_is_no_history(tmp_path):
    assert found(tmp_path) == []
    assert not History(tmp_path).shallow
    git(tmp_path, "init", "-q")
    assert found(tmp_path) == []


def test_contents_are_those_of_the_commit_whatever_the_names(root):
    names = ["a b/main.py", "b missing.py", "b 5.py", "\u00e4.py"]
    old = commit(root, {f"sub/{name}": f"{name}\n\n" for name in names} | {"main.py": OLD})
    commit(root, {f"sub/{name}": NEW for name in names})
    found = History(root / "sub").contents(old, ["gone.py", names[0], "main.py", "a\nb.py", "a b", *names[1:]])
    assert found == {name: f"{name}\n\n".encode() for name in names}


@pytest.mark.parametrize("name", ["", "HEAD", "0" * 40, f"{'0' * 39}\n", "--help"])
def test_contents_of_no_commit_are_none(root, name):
    commit(root, {"main.py": OLD})
    assert History(root).contents(name, ["main.py"]) == {}
