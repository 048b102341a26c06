"""Thousands of journals, and hostile ones: what is kept is what is known, and the numbers are the same."""

import os

import pytest
from costs import bounded
from journal_files import Run, sentences

from coverage_tasks.combined import merging
from coverage_tasks.combined.combine import combine
from coverage_tasks.combined.merging import Merging
from coverage_tasks.recorded.journals import read_journals

SOURCE = "".join(f"a{number} = {number}\n" for number in range(3000))


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, {"main.py": SOURCE, "other.py": "b = 1\n"})
    run.service("web", {f"/app/{name}.py": run.source(f"{name}.py") for name in ("main", "other")})
    return run


def test_journals_that_tell_the_same_cost_the_memory_of_one(run):
    first = run.lines("web", {"/app/main.py": (run.source("main.py"), range(1, 3001))})
    content = first.read_bytes()
    for number in range(3000):
        (first.parent / f"f{number:015x}.journal").write_bytes(content)
    with bounded():
        journals, errors = read_journals(run.project.journals, take=Merging({}).take)
    assert (len(journals), errors) == (3001, [])
    assert sum(len(lines) for journal in journals for lines in journal.lines.values()) == 3000
    assert {journal.told for journal in journals} == {3000}


def test_merging_changes_no_number(run):
    for lines in ([1, 2], [2, 3], [3000]):
        run.lines("web", {"/app/main.py": (run.source("main.py"), lines), "/app/other.py": (b"old", lines[:1])})
    run.lines("jobs", {"/app/main.py": (run.source("main.py"), [7])})
    found = combine(run.project).services
    # One line stands for all beyond the end of the old source.
    assert [process.lines for process in found["web"].processes.known] == [3, 3, 2]
    assert found["web"].unknown.keys() == {"other.py"}
    journals, _ = read_journals(run.project.journals, take=Merging({}).take)
    told = [{path: set(lines) for path, lines in journal.lines.items()} for journal in journals]
    assert {"/app/main.py": {1, 2, 3, 3000}, "/app/other.py": {1, 2, 5}} in told
    assert {"/app/main.py": {7}} in told, "each service has its own"


def test_what_is_no_source_of_the_repository_is_kept_as_long_as_there_is_room(run, monkeypatch):
    monkeypatch.setattr(merging, "MOST_STRANGE", 100)
    run.lines("web", {"/app/main.py": (run.source("main.py"), range(1, 3001))})
    for number in range(50):
        run.lines("web", {f"/forged{number}.py": (bytes(1000 + number), range(1, 60))})
    found = combine(run.project)
    (finding,) = [text for text in sentences(found.findings) if "more than any sources have" in text]
    assert finding.startswith("journals tell of more than any sources have, so ")
    assert len(found.services["web"].unmapped) < 10
    assert found.services["web"].files == ["main.py", "other.py"]
    assert found.services["web"].processes.all == 51


def test_arcs_that_no_source_has_room_for_are_dropped(run):
    source = run.source("other.py")
    run.arcs("web", {"/app/other.py": (source, [(start, end) for start in range(7) for end in range(-3, 7)])})
    run.arcs("web", {"/app/other.py": (source, [(-1, 1), (1, -1)])})
    found = combine(run.project)
    assert any("more than any sources have, so 1 part of them" in text for text in sentences(found.findings))


def test_other_names_of_a_journal_are_named_and_not_read(run):
    first = run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})
    for number in range(60):
        os.link(first, first.with_name(f"f{number:015x}.journal"))
    found = combine(run.project)
    assert found.services["web"].processes.all == 1
    (finding,) = sentences(found.damage)
    assert "is another name of a journal, and so it is with 59 others" in finding


def test_texts_of_receipts_are_bounded(run):
    run.lines("web", {}, refusals=["x" * 20_000] * 100, host="h" * 100_000, settings={"source": ["y"] * 10_000})
    ((journal,), _) = read_journals(run.project.journals, take=Merging({}).take)
    assert len(repr(journal.receipt)) < 40_000
