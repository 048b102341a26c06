"""Lines that ran before the stack was ready are told from those that traffic ran first."""

import pytest
from journal_files import ORPHAN, RECEIPT, Run, arc_word, file_words, header, line_word

from coverage_tasks.combined.combine import combine
from coverage_tasks.recorded.journals import count_words, find_journals, read_journal
from coverage_tasks.recorded.marks import mark_startup, read_marks
from coverage_tasks.results.lines import Phases
from coverage_tasks.results.results import read_results

MAIN = "import os\n\n\ndef start():\n    return 1\n\n\ndef serve():\n    return 2\n\n\nstart()\n"


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, {"web/main.py": MAIN})
    run.service("web", {"/app/main.py": MAIN.encode()})
    return run


def words_of(lines):
    name = b"/app/main.py"
    return [*file_words(0, name, MAIN.encode()), *(line_word(0, name, MAIN.encode(), line) for line in lines)]


def write(path, words, last=0):
    body = b"".join(word.to_bytes(8, "little") for word in [*words, *[0] * 40, last])
    path.write_bytes(header(RECEIPT | {"service": "web", "process": path.stem}) + body)


def test_what_was_written_when_the_stack_was_ready_is_start_up(run):
    journal = run.place("web") / f"{1:016x}.journal"
    write(journal, words_of([1, 4, 8, 12, 5]))
    mark_startup(run.project, [])
    write(journal, words_of([1, 4, 8, 12, 5, 9]))
    write(run.place("web") / f"{2:016x}.journal", words_of([1, 4, 8, 12, 5]))
    combine(run.project)
    lines = read_results(run.project).files["web/main.py"]
    assert lines.startup["web"] == {1, 4, 8, 12, 5}
    assert lines.bodies == {5, 9}
    assert lines.phases("web") == read_results(run.project).phases("web") == Phases(4, 1, 1)


def test_journals_of_an_earlier_run_keep_their_marks(run):
    first = run.place("web") / f"{1:016x}.journal"
    write(first, words_of([1]))
    mark_startup(run.project, [])
    marks = read_marks(run.project)
    write(first, words_of([1, 4, 8]))
    later = run.place("web") / f"{2:016x}.journal"
    write(later, words_of([1, 4]))
    before = find_journals(run.project.journals)
    write(run.place("web") / f"{3:016x}.journal", words_of([1, 4]))
    mark_startup(run.project, before)
    assert read_marks(run.project) == {**marks, f"{3:016x}.journal": len(words_of([1, 4]))}


def test_an_orphan_does_not_make_a_journal_full(run):
    journal = run.place("web") / f"{1:016x}.journal"
    write(journal, words_of([1]), last=ORPHAN)
    assert count_words(journal) == len(words_of([1]))


def test_early_arcs_tell_of_the_lines_they_touch(tmp_path):
    journal = tmp_path / "a.journal"
    name = b"/app/main.py"
    words = [*file_words(0, name, bytes(9)), arc_word(0, -1, 1), arc_word(0, 1, 4), arc_word(0, 4, 8)]
    journal.write_bytes(header(RECEIPT | {"branch": True}) + b"".join(word.to_bytes(8, "little") for word in words))
    assert read_journal(journal, len(words) - 1).early == {"/app/main.py": {1, 4}}
    assert read_journal(journal).early == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "7", '{"a": "b"}', '{"a": null}', '{"a": 1e999}', pytest.param("[" * 100_000, id="deep")]
)
def test_damaged_marks_are_none(run, text):
    (run.project.state / "marks.json").write_text(text)
    assert read_marks(run.project) == {}


def test_a_mark_below_nothing_is_nothing(run):
    (run.project.state / "marks.json").write_text('{"version": 1, "startup": {"a": -7}}')
    assert read_marks(run.project) == {"a": 0}
