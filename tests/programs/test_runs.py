"""Runs by name and by path: what is kept, what may be named, and where somebody else's data file leads."""

import shutil
import sqlite3
from pathlib import Path, PurePosixPath

import pytest
from checkouts import commit, git
from data_files import data_file
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.errors import TaskError
from coverage_tasks.recorded import state
from coverage_tasks.runs.store import NO_SOURCE, PRESENT, locate, open_run, save_run, saved_runs
from coverage_tasks.sources.repository import Digest, Repository

FILES = {
    "orders/main.py": "import rates\n\ndef order():\n    return rates.RATE\n",
    "orders/idle.py": "i = 1\n",
    "orders/tests/test_main.py": "def test():\n    pass\n",
    "libs/rates.py": "RATE = (1,\n        2)\nTAX = 2\n",
    ".gitignore": "coverage-data/\n",
}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "shop", FILES)
    git(run.project.root, "init", "-q")
    run.commit = commit(run.project.root)
    own = {f"/app/{name}": run.source(f"orders/{name}") for name in ("main.py", "idle.py")}
    run.service("orders", {**own, "/app/libs/rates.py": run.source("libs/rates.py")})
    run.lines(
        "orders",
        {
            "/app/main.py": (run.source("orders/main.py"), [1, 3]),
            "/app/libs/rates.py": (run.source("libs/rates.py"), [2]),
        },
    )
    combine(run.project)
    return run


def executed(run):
    return {path: set(lines.executed) for path, lines in run.files.items()}


RAN = {"orders/main.py": {1, 3}, "orders/idle.py": set(), "libs/rates.py": {1}}


def test_a_saved_run_is_the_present_one(run):
    save_run(run.project, "main", force=False)
    present, saved = open_run(run.project), open_run(run.project, "main")
    assert (present.name, saved.name) == (PRESENT, "main")
    assert executed(saved) == executed(present) == RAN
    for part in ("files", "unknown", "digests", "texts"):
        assert getattr(saved, part) == getattr(present, part)
    assert saved.combined.commit == run.commit
    assert saved.combined.started == 1700000000.5
    assert saved.files["libs/rates.py"].by_service == {"orders": {1}}
    assert list(saved_runs(run.project)) == ["main"]


def test_a_saved_run_outlives_new_ones_and_cleaning(run):
    save_run(run.project, "main", force=False)
    run.forget()
    run.lines("orders", {"/app/idle.py": (run.source("orders/idle.py"), [1])})
    combine(run.project)
    assert executed(open_run(run.project))["orders/idle.py"] == {1}
    state.remove(run.project, [])
    assert sorted(path.name for path in run.project.data.iterdir()) == [".gitignore", "runs"]
    assert executed(open_run(run.project, "main")) == RAN
    shutil.rmtree(run.project.runs / "main")
    state.remove(run.project, [])
    assert not run.project.data.exists()


def test_a_run_of_old_sources_is_read_with_them(run):
    save_run(run.project, "main", force=False)
    (run.project.root / "orders/main.py").write_text("# a comment\n" + FILES["orders/main.py"])
    (run.project.root / "orders/idle.py").unlink()
    found = open_run(run.project, "main")
    assert executed(found) == RAN
    assert found.text("orders/main.py") == FILES["orders/main.py"].encode()


def test_a_run_of_sources_that_nobody_has_is_unknown_there(run):
    (run.project.root / "orders/idle.py").write_text("never = 'committed'\n")
    run.lines("orders", {"/app/idle.py": (run.source("orders/idle.py"), [1])})
    combine(run.project)
    save_run(run.project, "main", force=False)
    (run.project.root / "orders/idle.py").write_text("i = 3\n")
    found = open_run(run.project, "main")
    assert found.unknown == {"orders/idle.py": NO_SOURCE}
    assert found.files.keys() == RAN.keys() - {"orders/idle.py"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "-x", "a b", "a\n", "x" * 101, "../../etc"])
def test_refuses_what_is_no_name(run, name):
    with pytest.raises(TaskError, match="cannot be a run's name") as error:
        save_run(run.project, name, force=True)
    assert error.value.exit_code == 2


def test_overwrites_only_when_forced(run):
    save_run(run.project, "main", force=False)
    run.lines("orders", {"/app/idle.py": (run.source("orders/idle.py"), [1])})
    combine(run.project)
    with pytest.raises(TaskError, match="there is a run main already: take another name, or say --force"):
        save_run(run.project, "main", force=False)
    assert executed(open_run(run.project, "main")) == RAN
    save_run(run.project, "main", force=True)
    assert executed(open_run(run.project, "main")) == RAN | {"orders/idle.py": {1}}
    assert [path.name for path in run.project.runs.iterdir()] == ["main"]


def test_nothing_to_save_is_one_sentence(tmp_path):
    with pytest.raises(TaskError, match="nothing has been combined yet"):
        save_run(Run(tmp_path, FILES).project, "main", force=False)


def test_a_run_that_nobody_saved_is_named_with_a_proposal(run):
    save_run(run.project, "main", force=False)
    with pytest.raises(TaskError, match=r"neither a run nor a file mian: did you mean main\?"):
        open_run(run.project, "mian")
    with pytest.raises(TaskError, match="neither a run nor a file zebra: saved ones are main"):
        open_run(run.project, "zebra")


def test_a_run_of_another_job_is_named_by_its_directory(run, tmp_path):
    """Either what was saved there, or .coverage and htmlcov as they were left."""
    saved = shutil.copytree(save_run(run.project, "main", force=False), tmp_path / "artifact")
    left = tmp_path / "left"
    (left / "htmlcov").mkdir(parents=True)
    shutil.copy(run.project.coverage_file, left)
    shutil.copy(run.project.state / "combined.json", left / "htmlcov")
    for directory in (saved, left):
        found = open_run(run.project, str(directory))
        assert executed(found) == RAN
        assert found.services.keys() == {"orders"}


def test_a_saved_run_has_no_hidden_file(run):
    assert not any(path.name.startswith(".") for path in save_run(run.project, "main", force=False).iterdir())


def test_the_data_file_of_the_project_is_the_present_run(run):
    found = open_run(run.project, str(run.project.coverage_file))
    assert found.services.keys() == {"orders"}


def test_relative_paths_of_a_data_file(run):
    root = run.project.root
    below = data_file(root / "orders/.coverage", lines={"main.py": [1], "idle.py": [1]})
    assert executed(open_run(run.project, str(below))) == {"orders/main.py": {1}, "orders/idle.py": {1}}
    at_root = data_file(root / "unit/.coverage", lines={"orders/main.py": [3], "libs/rates.py": [1]})
    assert executed(open_run(run.project, str(at_root))) == {"orders/main.py": {3}, "libs/rates.py": {1}}


def test_absolute_paths_of_a_data_file(run, tmp_path):
    places = (run.project.root, Path("/home/runner/work/shop/shop"), PurePosixPath("/builds/x"))
    for number, there in enumerate(places):
        lines = {there / "orders/main.py": [1], there / "libs/rates.py": [3], there / "orders/gone.py": [1]}
        lines[PurePosixPath("/usr/lib/python3/site-packages/rates.py")] = [1]
        found = open_run(run.project, str(data_file(tmp_path / f"u{number}", lines=lines)))
        assert executed(found) == {"orders/main.py": {1}, "libs/rates.py": {3}}
        assert found.elsewhere == (str(there / "orders/gone.py"),)
        assert f"speaks of 1 files that are none of the repository's, such as {there}" in "".join(found.notes)


def test_tests_of_a_data_file_do_not_count(run, tmp_path):
    file = data_file(tmp_path / "u", lines={"orders/tests/test_main.py": [1], "orders/main.py": [1]})
    assert executed(open_run(run.project, str(file))) == {"orders/main.py": {1}}


def test_branches_and_contexts_of_a_data_file(run, tmp_path):
    arcs = {"orders/main.py": [(-1, 1), (1, 3), (3, -1)], "libs/rates.py": [(-1, 2), (2, 3), (3, -1)]}
    for contexts in ((), ("test_a|run", "test_b|run")):
        file = data_file(tmp_path / f"arcs{len(contexts)}", arcs=arcs, contexts=contexts)
        found = open_run(run.project, str(file))
        assert executed(found) == {"orders/main.py": {1, 3}, "libs/rates.py": {1, 3}}
        assert found.files["orders/main.py"].branches == 0


def test_a_data_file_is_not_touched(run, tmp_path):
    other = tmp_path / "notes.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("create table notes (text)")
    file = data_file(tmp_path / "u", lines={"orders/main.py": [1]})
    before = {path: path.read_bytes() for path in (other, file)}
    open_run(run.project, str(file))
    with pytest.raises(TaskError, match=r"notes\.sqlite is no data file of coverage\.py's \(no such table: .*\)"):
        open_run(run.project, str(other))
    assert {path: path.read_bytes() for path in (other, file)} == before


def test_what_is_no_data_is_named(run, tmp_path):
    (tmp_path / "text").write_text("hello\n")
    with pytest.raises(TaskError, match=r"text is no data file of coverage\.py's"):
        open_run(run.project, str(tmp_path / "text"))
    (tmp_path / "parts").mkdir()
    with pytest.raises(TaskError, match=r"there is no data of coverage\.py's in .*parts: name the file itself"):
        open_run(run.project, str(tmp_path / "parts"))
    data_file(tmp_path / "parts/.coverage.host.1.x", lines={"orders/main.py": [1]})
    with pytest.raises(TaskError, match="run `coverage combine` there first"):
        open_run(run.project, str(tmp_path / "parts"))
    saved = save_run(run.project, "main", force=False)
    (saved / "combined.json").write_text("{")
    with pytest.raises(TaskError, match=r"combined\.json cannot be read"):
        open_run(run.project, "main")
    assert saved_runs(run.project) == {}


@pytest.mark.parametrize(
    ("measured", "place"),
    [
        # Of two services with the same names the one that more files agree on; a draw decides nothing.
        ("/app/main.py /app/only_a.py", "a/main.py a/only_a.py"),
        ("/app/main.py", "-"),
        ("C:\\x\\a\\main.py", "a/main.py"),
        # Where the repository lay is clear, so a file that it lacks is not looked for elsewhere.
        ("/r/a/main.py /r/a/only_a.py /r/c/only_b.py", "a/main.py a/only_a.py -"),
        ("/r/a/__init__.py /r/a/only_a.py", "a/__init__.py a/only_a.py"),
        ("/1/only_a.py /2/only_b.py", "a/only_a.py b/only_b.py"),
        ("only_b.py main.py", "b/only_b.py b/main.py"),
        ("/elsewhere/thing.py", "-"),
        ("", ""),
    ],
)
def test_where_measured_paths_lie(tmp_path, measured, place):
    names = ("a/main.py", "a/only_a.py", "a/__init__.py", "b/main.py", "b/only_b.py", "b/__init__.py")
    repository = Repository(tmp_path, dict.fromkeys(names, Digest(1, 1)))
    found = locate(measured.split(), repository, Path("/data"))
    assert [found.get(path, "-") for path in measured.split()] == place.split()
