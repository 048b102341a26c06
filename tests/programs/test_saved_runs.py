"""Saved runs of somebody else's: what they may name, what shape they have, and that nothing is written for them."""

import json
import os
import sqlite3
from contextlib import closing

import pytest
from checkouts import commit, git
from coverage import CoverageData
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.combined.model import VERSION, read_record_of
from coverage_tasks.errors import TaskError
from coverage_tasks.runs.store import open_run, save_run, saved_runs
from coverage_tasks.sources.repository import digest_of, is_repository_path

PRECIOUS = "evil = 1\n"


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "shop", {"main.py": "a = 1\n", "evil.py": PRECIOUS, ".gitignore": "coverage-data/\n"})
    git(run.project.root, "init", "-q")
    commit(run.project.root)
    run.service("web", {"/app/main.py": run.source("main.py")})
    run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})
    combine(run.project)
    run.saved = save_run(run.project, "theirs", force=False)
    # What the branch under review has under that name is what would be written.
    (run.project.root / "evil.py").unlink()
    return run


def name_in_both(run, path):
    """The saved run names a file that git has, by another path."""
    name_in_combined(run, path)
    data = CoverageData(str(run.saved / "coverage.sqlite"))
    data.read()
    data.add_lines({path: [1]})
    data.close()


def name_in_combined(run, path):
    file = run.saved / "combined.json"
    found = json.loads(file.read_text())
    found["digests"][path] = list(digest_of(PRECIOUS.encode()))
    found["services"]["web"]["files"].append(path)
    file.write_text(json.dumps(found))


def name_in_data(run, path):
    data = CoverageData(str(run.saved / "coverage.sqlite"))
    data.read()
    data.add_lines({path: [1]})
    data.close()


STRANGE = ["{tmp}/site/evil.py", "../evil.py", "a/../../evil.py", "C:\\x\\evil.py", "c:/evil.py", "\\\\host\\evil.py"]
STRANGE += ["a\0/evil.py", "./evil.py", "a//evil.py", "..", ".", "/", "x" * 300, "a/" * 3000 + "evil.py"]


@pytest.mark.parametrize("name", [name_in_both, name_in_combined, name_in_data])
@pytest.mark.parametrize("path", STRANGE)
def test_names_that_lead_out_of_the_repository_are_refused_and_nothing_is_written(run, tmp_path, name, path):
    before = {*tmp_path.rglob("*")} | {*tmp_path.parent.glob("*")}
    name(run, path.replace("{tmp}", str(tmp_path)))
    with pytest.raises(TaskError, match=r"no file of a repository is called that.*: save the run again") as error:
        open_run(run.project, str(run.saved))
    assert str(error.value).startswith(str(run.saved))
    assert {*tmp_path.rglob("*")} | {*tmp_path.parent.glob("*")} == before


def test_a_file_that_is_a_directory_too_is_refused(run):
    (run.project.root / "main.py").write_text("a = 2\n")
    combined = run.saved / "combined.json"
    combined.write_text(combined.read_text().replace('"digests": {', '"digests": {"main.py/evil.py": [9, 1],'))
    name_in_both(run, "main.py/evil.py")
    with pytest.raises(TaskError, match="names a file that there cannot be"):
        open_run(run.project, str(run.saved))


@pytest.mark.parametrize(
    "path", ["main.py", "a/b.py", "..a/b..py", "é.py", "a b.py", "a:b.py", "x" * 255, "-x.py", "a\\b.py", "~/x"]
)
def test_other_names_are_names(path):
    assert is_repository_path(path)
    assert not is_repository_path(f"{path}\ud800")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"services": {', '"services": [{'),
        ('"services": {', '"services": {"x": 1, '),
        ('"files": [', '"files": [7, '),
        ('"files": [', '"files": [null, '),
        ('"measured": true', '"measured": "true"'),
        ('"measured": true', '"strange": true'),
        ('"python": [', '"python": [{}, '),
        ('"never_imported": [', '"never_imported": [["main.py"], '),
        ('"startup": {', '"startup": {"main.py": [1.5], '),
        ('"carried": {', '"carried": {"main.py": {"commit": 7}, '),
        ('"roots": [', '"roots": [["a", "b", 1, "magic"], '),
        ('"roots": [', '"roots": [["a", "b", 1, "bind", "more"], '),
        ('"known": [', '"known": [{"id": 1}, '),
        ('"pid": 1,', '"pid": 1e400,'),
        ('"pid": 1,', f'"pid": {10**400},'),
        ('"state": "complete"', '"state": "perfect"'),
        ('"started": 1700000000.5', '"started": 1e300'),
        ('"started": 1700000000.5', '"started": NaN'),
        ('"started": 1700000000.5', '"started": -1'),
        ('"branch": false', '"branch": 0'),
        ('"commit": "', '"commit": 7, "x": "'),
        ('"digests": {', '"digests": {"a.py": [1], '),
        ('"digests": {', '"digests": {"a.py": [-1, 1], '),
        ('"digests": {', '"digests": {"a.py": [1, 4294967296], '),
        ('"digests": {', '"digests": {"a.py": ["1", "1"], '),
        (f'"version": {VERSION}', '"version": 3'),
        ('"files": [', '"files": "abc", "x": ['),
        ('"findings": [', '"findings": [{"service": 7}, '),
        ('"damaged": 0', '"damaged": -1e3'),
        ("{", "[" * 100_000),
        ("{", '{"a":' * 100_000),
    ],
)
def test_a_run_of_another_shape_is_one_sentence(run, old, new):
    file = run.saved / "combined.json"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(TaskError, match=r"combined\.json cannot be read \(.+\): save the run again") as error:
        open_run(run.project, str(run.saved))
    assert len(str(error.value)) < 500 + len(str(file))


def test_what_combine_writes_is_of_the_shape_that_is_read(run):
    assert read_record_of(run.saved / "combined.json") == read_record_of(run.project.state / "combined.json")


@pytest.mark.parametrize(
    "statement",
    [
        "update file set path = x'2f'",
        "update file set path = ''",
        "update context set context = x'77'",
        "update line_bits set numbits = zeroblob(3000000)",
        "update line_bits set numbits = 'text'",
        "insert into arc values (1, 1, 1, 1 << 40)",
        "insert into arc values (1, 1, -9223372036854775808, 1)",
        "drop table line_bits",
    ],
)
def test_a_data_file_that_coverage_py_cannot_have_written_is_one_sentence(run, statement):
    file = run.saved / "coverage.sqlite"
    with closing(sqlite3.connect(file)) as data, data:
        data.execute(statement)
    for word in (run.saved, file):
        with pytest.raises(TaskError, match=r"coverage\.sqlite is no data file of coverage\.py's \(.+\): name another"):
            open_run(run.project, str(word))


@pytest.mark.parametrize("name", ["coverage.sqlite", "combined.json"])
@pytest.mark.parametrize("leads_to", ["/dev/null", "main.py"])
def test_a_run_has_no_links(run, name, leads_to):
    (run.saved / name).unlink()
    (run.saved / name).symlink_to(run.project.root / leads_to)
    with pytest.raises(TaskError):
        open_run(run.project, str(run.saved))


def test_a_run_that_has_no_end_is_refused(run):
    for name in ("combined.json", "coverage.sqlite"):
        os.truncate(run.saved / name, 1 << 40)
        with pytest.raises(TaskError, match=f"{name} has more than [0-9]+ bytes"):
            open_run(run.project, str(run.saved))
        (run.saved / name).unlink()
        save_run(run.project, "theirs", force=True)


def test_the_list_of_runs_names_those_that_are_sound(run):
    save_run(run.project, "ours", force=False)
    name_in_combined(run, "/etc/evil.py")
    assert saved_runs(run.project).keys() == {"ours"}
