"""What reading a journal costs, whatever it is full of: bytes, memory and bytecodes, counted."""

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import journal_files as jf
import pytest
from costs import bounded, steps

from coverage_tasks.recorded import journals
from coverage_tasks.recorded.journals import JournalError, read_journal
from coverage_tasks.sources.repository import digest_of

NAME, SOURCE = b"/app/main.py", b"a = 1\nb = 2\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "0123456789abcdef.journal"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the reader got from files, every time that it asked."""
    found: list[int] = []

    def counting(name: Path, *arguments: Any, **options: Any) -> BinaryIO:
        file = open(name, *arguments, **options)  # noqa: SIM115, PTH123 - the reader closes it
        get = file.read

        def count(size: int = -1) -> bytes:
            data = get(size)
            found.append(len(data))
            return data

        file.read = count
        return file

    monkeypatch.setattr(journals, "open", counting, raising=False)
    return found


def test_of_100_megabytes_of_noise_only_the_beginning_is_read(path: Path, read: list[int]) -> None:
    with path.open("wb") as file:
        file.write(os.urandom(1 << 16))
        file.truncate(100 << 20)
    with pytest.raises(JournalError):
        read_journal(path)
    assert read == [16]


def test_noise_behind_a_header_is_read_in_part(path: Path, read: list[int]) -> None:
    with path.open("wb") as file:
        file.write(jf.header(jf.RECEIPT | {"branch": True}))
        piece = b"".join(word.to_bytes(8, "little") for word in jf.file_words(0, NAME, SOURCE))
        file.write(piece + b"\x01\0\0\0\0\0\0\x03" * (100 << 17))
    journal = read_journal(path)
    assert journal.arcs == {"/app/main.py": {(0, 1)}}
    assert journal.unreadable > 80 << 17, "nobody says that most of it was not read"
    assert sum(read) == journals.LARGEST


def test_10_sparse_gigabytes_behind_a_header(path: Path, read: list[int]) -> None:
    jf.write(path, jf.file_words(0, NAME, SOURCE))
    os.truncate(path, 10 << 30)
    with bounded():
        journal = read_journal(path)
    assert journal.files == {"/app/main.py": digest_of(SOURCE)}
    assert journal.unreadable > 9 << 27
    assert sum(read) == journals.LARGEST


HOSTILE = journals.LARGEST // 8 - 500  # words, besides those of some files: as many as are read

BYTECODES = 150  # that the reader may execute for a word


def many_names(count: int) -> bytes:
    numbers = range(min(count // 4, 1 << 16))
    declared = [word for number in numbers for word in jf.file_words(number, b"/%d" % number, SOURCE)]
    return jf.header(jf.RECEIPT) + struct.pack(f"<{len(declared)}Q", *declared)


def many(word: int, **receipt: object) -> Callable[[int], bytes]:
    def content(count: int) -> bytes:
        found = [*jf.file_words(0, NAME, SOURCE), *range(word, word + count)]
        return jf.header(jf.RECEIPT | receipt) + struct.pack(f"<{len(found)}Q", *found)

    return content


def large_receipt(piece: object) -> Callable[[int], bytes]:
    def content(count: int) -> bytes:
        source = [piece] * (count * 8 // (len(json.dumps(piece)) + 2))
        return jf.header(jf.RECEIPT | {"settings": {"source": source}})

    return content


CUT_OFF = many(1 << 56 | 1 << 40)

full_of = pytest.mark.parametrize(
    "content",
    [
        pytest.param(many_names, id="names"),
        pytest.param(many(jf.line_word(0, NAME, SOURCE, 0)), id="lines"),
        pytest.param(many(3 << 56, branch=True), id="arcs"),
        pytest.param(many(1 << 56), id="one record"),
        pytest.param(lambda count: CUT_OFF(count) + bytes(7), id="another record, cut off"),
        pytest.param(many(9 << 56), id="unknown kinds"),
        pytest.param(large_receipt([]), id="lists"),
        pytest.param(large_receipt({}), id="objects"),
        pytest.param(large_receipt(0.5), id="numbers"),
        pytest.param(large_receipt("\ud800"), id="texts"),
    ],
)


@full_of
def test_whatever_it_is_full_of_it_costs_little_memory(path: Path, content: Callable[[int], bytes]) -> None:
    path.write_bytes(content(HOSTILE))
    assert path.stat().st_size > 1 << 20
    with bounded():
        read_journal(path)


@full_of
def test_whatever_it_is_full_of_twice_as_much_costs_twice(path: Path, content: Callable[[int], bytes]) -> None:
    cost = {}
    for count in (100, 4000, 8000):  # the first meets all that is kept for later
        path.write_bytes(content(count))
        cost[count] = steps(lambda: read_journal(path))
    assert cost[8000] < 2.1 * cost[4000]
    assert cost[8000] < BYTECODES * 8000
