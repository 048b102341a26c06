"""The reader of journals: what it reads, what it refuses, and that it survives anything."""

import json
import os
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import asdict
from pathlib import Path

import journal_files as jf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage_tasks.recorded import journals
from coverage_tasks.recorded.journals import LOST, ORPHANED, RIVAL, JournalError, Refusal, read_journal, read_journals
from coverage_tasks.sources.repository import digest_of

NAME, SOURCE = b"/app/main.py", b"a = 1\nb = 2\n"
LONG = bytes(1 << 20)
HEADER = jf.header(jf.RECEIPT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0123456789abcdef.journal"


@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_what_the_document_describes(path: Path, order: str) -> None:
    words = [*jf.file_words(3, NAME, LONG), jf.line_word(3, NAME, LONG, 1), 0, jf.line_word(3, NAME, LONG, 70000)]
    journal = read_journal(jf.write(path, words, order=order))
    assert journal.files == {"/app/main.py": digest_of(LONG)}
    assert journal.lines == {"/app/main.py": {1, 70000}}
    assert (journal.ended, journal.unreadable) == (False, 0)
    assert asdict(journal.receipt) == jf.RECEIPT | {"refusals": ()}


@pytest.mark.parametrize("arc", [(1, 2), (-1, 2), (1, -2), (-3, -4), (1048575, -1048575)])
def test_reads_arcs_with_their_signs(path: Path, arc: tuple[int, int]) -> None:
    journal = read_journal(jf.write_arcs(path, {"/app/main.py": (LONG, [arc])}))
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


@pytest.mark.parametrize("stray", jf.file_words(0, b"/app/other.py", SOURCE))
def test_a_file_word_behind_a_whole_record_takes_nothing_away(path: Path, stray: int) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1), stray, 0, stray]
    journal = read_journal(jf.write(path, words))
    assert (journal.files, journal.lines) == ({"/app/main.py": digest_of(SOURCE)}, {"/app/main.py": {1}})
    assert journal.unreadable == 2


@pytest.mark.parametrize(
    "name",
    [b"", b"app/main.py", b"/app/../main.py", b"/app//main.py", b"/app/", b"/app/ma\0in.py", b"/" + b"a" * 4096],
    ids=lambda name: str(name[:20]),
)
def test_a_record_that_names_no_file_is_unreadable(path: Path, name: bytes) -> None:
    file_words = jf.file_words(0, name, SOURCE)
    journal = read_journal(jf.write(path, [*file_words, jf.line_word(0, name, SOURCE, 1)]))
    assert (journal.files, journal.lines, journal.unreadable) == ({}, {}, len(file_words) + 1)


@pytest.mark.parametrize(
    "name", [b"/" + b"a" * 4095, b"//app/main.py", b"/app/\n\x1b.py"], ids=lambda name: str(name[:20])
)
def test_a_record_may_name_any_path_that_is_normal(path: Path, name: bytes) -> None:
    assert list(read_journal(jf.write(path, jf.file_words(0, name, SOURCE))).files) == [name.decode()]


def test_a_name_is_not_cut_short_by_a_damaged_length(path: Path) -> None:
    file_words = jf.file_words(0, NAME, SOURCE)
    file_words[0] -= 1 << 24  # the length is in the first two of five bytes
    journal = read_journal(jf.write(path, file_words))
    assert (journal.files, journal.unreadable) == ({}, len(file_words))


@pytest.mark.parametrize(("branch", "found"), [(False, ({1}, None)), (True, (None, {(2, 3)}))])
def test_a_word_of_the_other_sort_of_measuring_is_unreadable(path: Path, branch: bool, found: object) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1), jf.arc_word(0, 2, 3)]
    journal = read_journal(jf.write(path, words, branch=branch))
    assert (journal.lines.get("/app/main.py"), journal.arcs.get("/app/main.py")) == found
    assert journal.unreadable == 1


@pytest.mark.parametrize("last", [7 << 56 | 1, 7 << 56 | 1 << 40, 5, 11 << 56, 10 << 56, 8 << 56])
def test_not_ended_when_the_last_word_is_damaged(path: Path, last: int) -> None:
    journal = read_journal(jf.write(path, [jf.END, last]))
    assert (journal.ended, journal.unreadable) == (False, 1)


@pytest.mark.parametrize(("word", "padding"), [(8 << 56, 1), (8 << 56 | 1, 0)])
def test_an_orphan_elsewhere_than_in_the_last_word_is_unreadable(path: Path, word: int, padding: int) -> None:
    journal = read_journal(jf.write(path, [word], padding=padding))
    assert (journal.receipt.refusals, journal.unreadable) == ((), 1)


def test_an_orphan_in_a_journal_from_a_machine_of_the_other_byte_order(path: Path) -> None:
    assert read_journal(jf.write(path, [8 << 56], order=">", padding=0)).receipt.refusals


def test_a_child_without_a_journal_is_a_refusal_and_hides_no_end(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1), 7 << 56, 0, 8 << 56]
    journal = read_journal(jf.write(path, words, padding=0))
    assert journal.receipt.refusals == (ORPHANED,)
    assert (journal.ended, journal.unreadable) == (True, 0)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("orphan", "marks"), [(0, (LOST,)), (8 << 56, (ORPHANED, LOST))])
def test_words_that_found_no_journal_are_a_refusal_and_hide_no_end(
    path: Path, order: str, orphan: int, marks: tuple[Refusal, ...]
) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1), 7 << 56, 0, 10 << 56, orphan]
    journal = read_journal(jf.write(path, words, order=order, padding=0))
    assert journal.receipt.refusals == marks
    assert (journal.ended, journal.unreadable, journal.lines) == (True, 0, {"/app/main.py": {1}})
    assert journals.count_words(path) == len(words) - 3


@pytest.mark.parametrize(("words", "padding"), [([10 << 56], 0), ([10 << 56], 2), ([10 << 56, 5], 0)])
def test_lost_words_are_told_in_the_last_word_but_one_only(path: Path, words: list[int], padding: int) -> None:
    journal = read_journal(jf.write(path, words, padding=padding))
    assert (journal.receipt.refusals, journal.unreadable) == ((), len(words))


def test_a_refusal_has_a_code_and_evidence_and_in_an_old_journal_a_sentence(path: Path) -> None:
    refusals = [{"code": "switch", "evidence": ["COVERAGE_BRANCH", "perhaps"], "more": 1}, "it is too old"]
    assert read_journal(jf.write(path, refusals=refusals)).receipt.refusals == (
        Refusal("switch", ("COVERAGE_BRANCH", "perhaps")),
        Refusal("", ("it is too old",)),
    )


@pytest.mark.parametrize(
    "refusal", [7, None, [], {}, {"code": "x"}, {"code": 7, "evidence": []}, {"code": "x", "evidence": "y"},
                {"code": "x", "evidence": [7]}]
)  # fmt: skip
def test_a_refusal_of_another_shape_makes_a_receipt_that_is_none(path: Path, refusal: object) -> None:
    with pytest.raises(JournalError, match="has a receipt that is none"):
        read_journal(jf.write(path, refusals=[refusal]))


def test_a_trace_function_of_the_applications_is_a_refusal(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), 9 << 56, jf.line_word(0, NAME, SOURCE, 1), 7 << 56]
    journal = read_journal(jf.write(path, words, order=">"))
    assert journal.receipt.refusals == (RIVAL,)
    assert (journal.ended, journal.unreadable) == (True, 0)
    assert not read_journal(jf.write(path, [9 << 56 | 1])).receipt.refusals


def test_unknown_kinds_are_counted_and_skipped(path: Path) -> None:
    words = [*jf.file_words(0, NAME, SOURCE), 11 << 56, 255 << 56, 5, jf.line_word(0, NAME, SOURCE, 1)]
    journal = read_journal(jf.write(path, words))
    assert (journal.lines, journal.unreadable) == ({"/app/main.py": {1}}, 3)


@pytest.mark.parametrize("source", [SOURCE, b"", b"x"])
def test_one_line_stands_for_all_beyond_the_end_of_the_file(path: Path, source: bytes) -> None:
    lines = [1, len(source) + 1, len(source) + 2, 1 << 20, (1 << 24) - 1]
    words = [*jf.file_words(0, NAME, source), *(jf.line_word(0, NAME, source, line) for line in lines)]
    journal = read_journal(jf.write(path, words))
    assert journal.lines == {"/app/main.py": {1, len(source) + 1, len(source) + 2}}
    assert journal.unreadable == 0
    arcs = [(1, 2), (-1, len(source) + 2), (1 << 19, -1)]
    journal = read_journal(jf.write_arcs(path, {"/app/main.py": (source + b"y", arcs)}))
    beyond = len(source) + 3
    assert journal.arcs == {"/app/main.py": {(1, 2), (-1, len(source) + 2), (beyond, beyond)}}
    assert journal.unreadable == 0


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
        (jf.header(jf.RECEIPT, version=2), "version"),
        (jf.header({"new": "shape"}, version=9), "version"),
    ],
)
def test_refuses_what_is_no_journal_and_names_it(path: Path, content: bytes, kind: str) -> None:
    path.write_bytes(content)
    with pytest.raises(JournalError, match=path.name) as caught:
        read_journal(path)
    assert caught.value.kind == kind


@pytest.mark.parametrize("key", sorted(jf.RECEIPT))
def test_a_receipt_has_every_key_with_a_value_of_its_kind(path: Path, key: str) -> None:
    kinds = {"branch": True, "pid": 7, "segment": 7, "started": 7.5, "settings": {}, "refusals": ["x"]}
    right = kinds.get(key, "x")
    impossible = ([7], float("inf"), 1e300, -1.0, 10**400, -(1 << 60))
    for value in (None, True, 7, 7.5, "x", [], {}, float("nan"), *impossible):
        path.write_bytes(jf.header(jf.RECEIPT | {key: value}))
        if type(value) is type(right) and value == value and value not in impossible:
            assert read_journal(path)
        else:
            with pytest.raises(JournalError, match="has a receipt that is none") as caught:
                read_journal(path)
            assert caught.value.kind == "foreign"
    without = {name: value for name, value in jf.RECEIPT.items() if name != key}
    path.write_bytes(jf.header(without))
    with pytest.raises(JournalError):
        read_journal(path)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"[]", b"7", b"null", b'"process"', b"{", b"\xff", b'{"pid": ' + b"9" * 5000 + b"}"),
        *(b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        *(json.dumps(jf.RECEIPT).encode(encoding) for encoding in ("utf-16", "utf-32", "utf-8-sig")),
        json.dumps(jf.RECEIPT).replace("orders", "\xe9").encode(),
    ],
    ids=lambda text: str(text[:20]),
)
def test_a_receipt_is_an_object_in_ascii(path: Path, text: bytes) -> None:
    path.write_bytes(b"covspy\x01<" + struct.pack("<II", len(text), zlib.crc32(text)) + text)
    with pytest.raises(JournalError, match="has a receipt that is none"):
        read_journal(path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """What may lie under a journal's name and is no file."""
    data = tmp_path / "data"
    data.mkdir()
    found = {name: data / f"{name}.journal" for name in ("directory", "link", "loop", "dangling", "pipe", "socket")}
    found["directory"].mkdir()
    found["link"].symlink_to(jf.write(tmp_path / "real"))
    found["loop"].symlink_to(found["loop"])
    found["dangling"].symlink_to(tmp_path / "nothing")
    os.mkfifo(found["pipe"])
    with chdir(data), socket.socket(socket.AF_UNIX) as opened:
        opened.bind(found["socket"].name)
        yield found


def test_what_is_no_file_is_named_and_not_even_opened(
    elsewhere: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, flags: int) -> int:
        raise AssertionError(f"opened {name}")  # a device may do something when it is

    monkeypatch.setattr(journals, "_open", refuse)
    found, errors = read_journals(elsewhere["pipe"].parent)
    assert found == []
    assert [str(error) for error in errors] == [
        f"{path} is not a file: remove it from the data directory" for path in sorted(elsewhere.values())
    ]


@pytest.mark.parametrize("name", ["directory", "link", "pipe", "socket"])
def test_what_takes_the_place_of_a_file_while_it_is_read_is_refused_too(
    elsewhere: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    regular = Path(__file__).stat()
    descriptors = len(os.listdir("/dev/fd"))  # noqa: PTH208 - Path.iterdir holds one more
    writer = os.open(elsewhere["pipe"], os.O_RDWR)  # a pipe that somebody holds open and writes nothing into
    monkeypatch.setattr(Path, "lstat", lambda self: regular)
    with pytest.raises(JournalError, match=name):
        read_journal(elsewhere[name])
    os.close(writer)
    assert len(os.listdir("/dev/fd")) == descriptors  # noqa: PTH208


def test_a_file_without_the_right_to_read_it(tmp_path: Path) -> None:
    path = jf.write(tmp_path / "a.journal")
    path.chmod(0)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(JournalError, match="give yourself the right") as caught:
            read_journal(path)
    finally:
        if root:
            os.seteuid(0)
    assert caught.value.kind == "unreadable"


def test_a_file_that_shrinks_while_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jf.write(path, [*jf.file_words(0, NAME, SOURCE), jf.line_word(0, NAME, SOURCE, 1)])
    fstat = os.fstat

    def look(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        if status.st_size:
            os.truncate(path, 0)
        return status

    monkeypatch.setattr(os, "fstat", look)
    with pytest.raises(JournalError):
        read_journal(path)


def test_the_others_are_read_all_the_same(tmp_path: Path) -> None:
    jf.write(tmp_path / "b.journal", service="second")
    (tmp_path / "a.journal").write_bytes(b"noise")
    (tmp_path / "c.journal").write_bytes(HEADER[:20])
    (tmp_path / "readme.txt").write_text("not even called a journal")
    journals, errors = read_journals(tmp_path)
    assert [journal.receipt.service for journal in journals] == ["second"]
    assert [error.kind for error in errors] == ["foreign", "truncated"]


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.integers(1, 2**24 - 1), max_size=20),
    noise=st.lists(st.integers(0, 2**64 - 1), max_size=20),
    tail=st.binary(max_size=200),
    cut=st.integers(0, 900),
)
def test_noise_crashes_nothing_and_claims_nothing(
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
    words = [*jf.file_words(0, NAME, None), *(jf.line_word(0, NAME, None, line) for line in lines)]
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
