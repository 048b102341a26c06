"""The reader of journals: what it reads, what it refuses, and that it survives anything."""

import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit import journal_files as jf

from coverage_tasks.journals import JournalError, read_journal, read_journals
from coverage_tasks.sources import digest_of

NAME, SOURCE = b"/app/main.py", b"a = 1\nb = 2\n"
HEADER = jf.header(jf.RECEIPT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0123456789abcdef.journal"


@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_what_the_document_describes(path: Path, order: str) -> None:
    words = [*jf.file_words(3, NAME, SOURCE), jf.line_word(3, NAME, SOURCE, 1), 0, jf.line_word(3, NAME, SOURCE, 70000)]
    journal = read_journal(jf.write(path, words, order=order))
    assert journal.files == {"/app/main.py": digest_of(SOURCE)}
    assert journal.lines == {"/app/main.py": {1, 70000}}
    assert (journal.ended, journal.unreadable) == (False, 0)
    assert asdict(journal.receipt) == jf.RECEIPT | {"refusals": ()}


@pytest.mark.parametrize("arc", [(1, 2), (-1, 2), (1, -2), (-3, -4), (1048575, -1048575)])
def test_reads_arcs_with_their_signs(path: Path, arc: tuple[int, int]) -> None:
    journal = read_journal(jf.write_arcs(path, {"/app/main.py": (SOURCE, [arc])}))
    assert journal.arcs == {"/app/main.py": {arc}}
    assert journal.ended


def test_ended_when_nothing_comes_after_the_end(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.END]
    assert read_journal(jf.write(path, words)).ended
    assert not read_journal(jf.write(path, [*words, 0, jf.line_word(0, NAME, SOURCE, 1)])).ended
    assert not read_journal(jf.write(path)).ended


def test_a_line_stored_before_its_file_is_whole_counts(path: Path) -> None:
    words = [jf.line_word(0, NAME, SOURCE, 2), *jf.file_words(0, NAME, SOURCE)]
    assert read_journal(jf.write(path, words)).lines == {"/app/main.py": {2}}


def test_one_file_under_two_numbers(path: Path) -> None:
    words = [w for n in (0, 1) for w in (*jf.file_words(n, NAME, SOURCE), jf.line_word(n, NAME, SOURCE, n + 1))]
    assert read_journal(jf.write(path, words)).lines == {"/app/main.py": {1, 2}}


def test_one_name_with_two_sources_is_vouched_for_by_neither(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), *jf.file_words(1, NAME, SOURCE + b"c = 3\n")]
    assert read_journal(jf.write(path, words)).files == {"/app/main.py": None}


def test_a_source_that_could_not_be_read_has_no_digest(path: Path) -> None:
    journal = read_journal(jf.write_lines(path, {"/app/main.py": (None, [1])}))
    assert (journal.files, journal.lines) == ({"/app/main.py": None}, {"/app/main.py": {1}})


def test_names_that_are_not_utf8_survive(path: Path) -> None:
    name = b"/app/caf\xe9.py"
    assert list(read_journal(jf.write(path, jf.file_words(0, name, SOURCE))).files) == [os.fsdecode(name)]


@pytest.mark.parametrize("lost", range(len(jf.file_words(0, NAME, SOURCE))))
def test_a_torn_file_record_takes_its_lines_with_it(path: Path, lost: int) -> None:
    file_words = jf.file_words(0, NAME, SOURCE)
    file_words[lost] = 0
    journal = read_journal(jf.write(path, [*file_words, jf.line_word(0, NAME, SOURCE, 1), jf.arc_word(0, 1, 2)]))
    assert (journal.files, journal.lines, journal.arcs, journal.unreadable) == ({}, {}, {}, 2)


def test_a_line_with_another_files_tag_is_unreadable(path: Path) -> None:
    journal = read_journal(jf.write(path, [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, b"/app/b.py", SOURCE, 1)]))
    assert (journal.lines, journal.unreadable) == ({}, 1)


def test_a_child_without_a_journal_is_a_refusal_and_hides_no_end(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1), 7 << 56, 0, 8 << 56]
    journal = read_journal(jf.write(path, words, padding=0))
    assert journal.receipt.refusals[-1] == "a forked child could open no journal: what it ran is unknown"
    assert (journal.ended, journal.unreadable) == (True, 0)


def test_unknown_kinds_are_counted_and_skipped(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), 9 << 56, 255 << 56, 5, jf.line_word(0, NAME, SOURCE, 1)]
    journal = read_journal(jf.write(path, words))
    assert (journal.lines, journal.unreadable) == ({"/app/main.py": {1}}, 3)


def test_a_file_that_ends_inside_a_word(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1)]
    jf.write(path, [*words, 3 << 56 | 7], padding=0)
    path.write_bytes(path.read_bytes()[:-3])
    assert read_journal(path).lines == {"/app/main.py": {1}}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "unborn"),
        (bytes(4096), "unborn"),
        (bytes(16) + b"noise", "unborn"),
        (bytes(15) + b"x", "foreign"),
        (b"cov", "truncated"),
        (b"noise", "foreign"),
        (HEADER[:11], "truncated"),
        (HEADER[:40], "truncated"),
        (HEADER.replace(b"orders", b"0rders"), "truncated"),
        (HEADER[:8] + b"\xff\xff\xff\xff" + HEADER[12:], "truncated"),
        (HEADER[:7] + b"?" + HEADER[8:], "truncated"),
        (b"SQLite format 3\0", "foreign"),
        (b"\0\0\0\0\0x", "foreign"),
        (jf.header({}), "foreign"),
        (jf.header(jf.RECEIPT | {"service": 7}), "foreign"),
        (jf.header(jf.RECEIPT | {"refusals": [7]}), "foreign"),
        (jf.header(jf.RECEIPT | {"started": float("nan")}), "foreign"),
        (jf.header(jf.RECEIPT, version=2), "version"),
        (jf.header({"new": "shape"}, version=9), "version"),
    ],
)
def test_refuses_what_is_no_journal_and_names_it(path: Path, content: bytes, kind: str) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match=path.name) as caught:
        read_journal(path)
    assert caught.value.kind == kind


def test_a_directory_a_link_and_a_pipe_are_no_journals(tmp_path: Path) -> None:
    (tmp_path / "a.journal").mkdir()
    (tmp_path / "b.journal").symlink_to(jf.write(tmp_path / "elsewhere"))
    os.mkfifo(tmp_path / "c.journal")
    journals, errors = read_journals(tmp_path)
    assert (journals, len(errors)) == ([], 3)


def test_the_others_are_read_all_the_same(tmp_path: Path) -> None:
    jf.write(tmp_path / "b.journal", service="second")
    (tmp_path / "a.journal").write_bytes(b"noise")
    (tmp_path / "c.journal").write_bytes(HEADER[:20])
    (tmp_path / "readme.txt").write_text("not even called a journal")
    journals, errors = read_journals(tmp_path)
    assert [journal.receipt.service for journal in journals] == ["second"]
    assert [error.kind for error in errors] == ["foreign", "truncated"]


def test_100_megabytes_of_noise_are_refused_at_once(path: Path) -> None:
    with path.open("wb") as file:
        file.write(os.urandom(1 << 16))
        file.truncate(100 << 20)
    begin = time.process_time()
    with pytest.raises(JournalError):
        read_journal(path)
    assert time.process_time() - begin < 0.1


def test_100_megabytes_of_noise_behind_a_header_end(path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEADER)
        piece = b"".join(word.to_bytes(8, "little") for word in jf.file_words(0, NAME, SOURCE))
        file.write(piece + b"\x01\0\0\0\0\0\0\x03" * (100 << 17))
    begin = time.process_time()
    journal = read_journal(path)
    assert journal.arcs == {"/app/main.py": {(0, 1)}}
    assert journal.unreadable > 80 << 17, "nobody says that most of it was not read"
    assert time.process_time() - begin < 5


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.integers(1, 2**24 - 1), max_size=20),
    noise=st.lists(st.integers(0, 2**64 - 1), max_size=20),
    tail=st.binary(max_size=200),
    cut=st.integers(0, 900),
)
def test_noise_crashes_nothing_and_claims_no_file_and_no_tagged_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[int], noise: list[int], tail: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.journal"
    written = [*jf.file_words(0, NAME, SOURCE), *(jf.line_word(0, NAME, SOURCE, line) for line in lines)]
    jf.write(path, [*written, *noise], padding=0)
    path.write_bytes((path.read_bytes() + tail)[: cut or None])
    try:
        journal = read_journal(path)
    except JournalError:
        return
    assert set(journal.files) <= {"/app/main.py"}
    assert set(journal.lines) | set(journal.arcs) <= set(journal.files)


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(st.integers(1, 2**24 - 1), max_size=30), cut=st.integers(0, 900), order=st.sampled_from("<>"))
def test_a_journal_that_is_cut_off_says_what_its_beginning_says(
    tmp_path_factory: pytest.TempPathFactory, lines: list[int], cut: int, order: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.journal"
    words = [*jf.file_words(0, NAME, SOURCE), *(jf.line_word(0, NAME, SOURCE, line) for line in lines)]
    start = len(jf.header(jf.RECEIPT, order))
    jf.write(path, words, order=order, padding=0)
    path.write_bytes(path.read_bytes()[: start + cut])
    journal = read_journal(path)
    whole = cut // 8 - (len(words) - len(lines))
    assert set(lines[: max(whole, 0)]) <= journal.lines.get("/app/main.py", set()) <= set(lines)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=300), magic=st.booleans())
def test_anything_else_is_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.journal"
    path.write_bytes(b"covspy\x01<" * magic + content)
    with pytest.raises(JournalError):
        read_journal(path)
