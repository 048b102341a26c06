"""Reader of journals, the files a measured process writes; docs/journal.md describes them."""

import json
import os
import posixpath
import stat
import sys
import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from coverage_spy import journal as words
from coverage_spy import receipt as head
from coverage_spy import refusals as codes
from coverage_spy.scope import LONGEST

from ..progress import Stage, advance
from ..records import LARGEST_NUMBER, YEAR_3000
from ..sources.repository import Digest

LARGEST = 4 * words.LAST_SIZE  # bytes read of one journal, its receipt among them: what costs a second at most

RIVAL_WORD = words.RIVAL << words.KIND_SHIFT

Kind = Literal["foreign", "truncated", "version", "unreadable", "unborn"]

REMOVE = "remove it from the data directory"
COPY = "copy it again if it is a copy, or remove it"


class JournalError(Exception):
    """A file that cannot be read as a journal: `evidence` names it and says what is wrong, `remedy` what to do.

    `path` is the file, when `read_journals` found it.

    An `unborn` one is no damage: its process was killed after it made the file and before it wrote the receipt.
    """

    def __init__(self, kind: Kind, evidence: str, remedy: str) -> None:
        """Keep them; `kind` is what is wrong with the file, for programs."""
        super().__init__(f"{evidence}: {remedy}")
        self.kind, self.evidence, self.remedy = kind, evidence, remedy
        self.path = Path()


@dataclass(frozen=True, order=True)
class Refusal:
    """What a process declined, or could not do.

    `code` is one of coverage_spy.refusals, with the evidence of docs/journal.md.

    It is "" in a journal of before there were codes; the sentence there is the evidence.
    """

    code: str
    evidence: tuple[str, ...] = ()


ORPHANED, LOST, RIVAL = Refusal(codes.ORPHANED), Refusal(codes.LOST), Refusal(codes.RIVAL)


@dataclass(frozen=True)
class Receipt:
    """Who wrote a journal, under which settings, and what was declined; keys as in docs/journal.md."""

    process: str
    segment: int
    parent: str
    service: str
    window: str
    python: str
    implementation: str
    engine: str
    branch: bool
    host: str
    pid: int
    started: float
    settings: Mapping[str, Any]
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class Journal:
    """One journal. Paths are those of the measured process; `unreadable` counts words that mean nothing here.

    `early` are the lines that are told of before a mark, see `read_journals`. `recorded` is how many lines, or arcs, it
    had before others that told the same were merged with it.

    `last` is the last word of the process itself that is not zero, 0 when there is none.
    """

    path: Path
    receipt: Receipt
    files: Mapping[str, Digest | None]
    lines: Mapping[str, set[int]]
    arcs: Mapping[str, set[tuple[int, int]]]
    last: int
    unreadable: int
    early: Mapping[str, set[int]] = field(default_factory=dict)
    recorded: int | None = None

    @property
    def told(self) -> int:
        """How many lines, or arcs, it tells of, `recorded` or all that are here."""
        if self.recorded is not None:
            return self.recorded
        return sum(len(found) for by_file in (self.lines, self.arcs) for found in by_file.values())

    @property
    def ended(self) -> bool:
        """Whether the process took leave; one whose exec failed goes on after it did."""
        return self.last == words.END << words.KIND_SHIFT


def find_journals(directory: Path) -> list[Path]:
    """Return the files that have a journal's name, in a directory and in those of its services, in order."""
    return sorted((*directory.glob("*" + head.SUFFIX), *directory.glob("*/*" + head.SUFFIX)))


def read_journals(
    directory: Path,
    marks: Mapping[str, int] | None = None,
    take: Callable[[Journal], Journal] = lambda journal: journal,
) -> tuple[list[Journal], list[JournalError]]:
    """Return all journals of a directory and of its services, in order, and an error for each file that is none.

    `marks`: name of a journal -> how many of its words count as early. What `take` makes of a journal is kept.
    """
    journals, errors, paths = [], [], find_journals(directory)
    first: dict[tuple[int, int], Path] = {}
    with Stage("reading what was recorded", len(paths), "journal"):
        for path in paths:
            try:
                _require_first(path, first)
                journals.append(take(read_journal(path, (marks or {}).get(path.name, 0))))
            except JournalError as error:
                error.path = path
                errors.append(error)
            advance()
    return journals, errors


def _require_first(path: Path, first: dict[tuple[int, int], Path]) -> None:
    """Raise JournalError for another name of a file that was read: whoever can write there can make thousands."""
    with suppress(OSError):  # the reader says what is wrong
        status = path.lstat()
        if status.st_nlink > 1 and first.setdefault((status.st_dev, status.st_ino), path) != path:
            raise JournalError("foreign", f"{path} is another name of a journal", REMOVE)


def count_words(path: Path) -> int:
    """Return how many words of a journal are in use by now, for a process that lives. Raise JournalError."""
    data, _ = _contents(path)
    order, _, start = _header(path, data)
    body, _ = _without_marks(order, data[start : len(data) - (len(data) - start) % 8])
    return -(-len(body.rstrip(b"\0")) // 8)


def read_journal(path: Path, early: int = 0) -> Journal:
    """Read one journal, whatever the file is: in bounded time and memory, and never more than it says.

    What its first `early` words tell of is in Journal.early too, of arcs the lines that they touch. Raise JournalError
    when there is no readable receipt.
    """
    data, beyond = _contents(path)
    order, text, start = _header(path, data)
    receipt = _receipt(path, text)
    body = data[start : len(data) - (len(data) - start) % 8]  # without a word that is cut off
    if not beyond:
        body, marks = _without_marks(order, body)
        receipt = replace(receipt, refusals=(*receipt.refusals, *marks))
    body = body.rstrip(b"\0")
    all_words = array("Q", body + bytes(-len(body) % 8))
    if order != head.ORDER:
        all_words.byteswap()
    if RIVAL_WORD in all_words:
        receipt = replace(receipt, refusals=(*receipt.refusals, RIVAL))
    journal = _decode(path, receipt, all_words, beyond // 8)
    return replace(journal, early=_touched(_decode(path, receipt, all_words[:early], 0))) if early else journal


def _without_marks(order: str, body: bytes) -> tuple[bytes, list[Refusal]]:
    """Return the words of a whole file without those that are kept at its end, and what they say."""
    marks = []
    for kind, refusal in ((words.ORPHAN, ORPHANED), (words.LOST, LOST)):
        last = (kind << words.KIND_SHIFT).to_bytes(8, "little" if order == "<" else "big")
        if body[-8:] == last:
            marks.append(refusal)
        if body[-8:] not in (last, bytes(8)):
            break
        body = body[:-8]
    return body, marks


def _touched(journal: Journal) -> dict[str, set[int]]:
    arcs = ((name, {line for arc in arcs for line in arc if line > 0}) for name, arcs in journal.arcs.items())
    return {**journal.lines, **dict(arcs)}


def _contents(path: Path) -> tuple[bytes, int]:
    """Return what is read of the file, and how many bytes are not: all but the beginning of one that is no journal."""
    try:
        if stat.S_ISREG(path.lstat().st_mode):  # to open a device may set it off
            with open(path, "rb", opener=_open) as file:
                status = os.fstat(file.fileno())
                if stat.S_ISREG(status.st_mode):  # still
                    data = file.read(head.HEAD["<"].size)
                    if data.startswith(head.MAGIC):
                        data += file.read(LARGEST - len(data))
                    return data, max(status.st_size - len(data), 0)
    except OSError as error:
        raise JournalError(
            "unreadable", f"{path} cannot be read ({error.strerror})", "give yourself the right to read it"
        ) from None
    raise JournalError("foreign", f"{path} is not a file", REMOVE)


def _open(name: str, flags: int) -> int:
    # Others may write in the directory: no waiting for a pipe's other end, no following of links.
    return os.open(name, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _header(path: Path, data: bytes) -> tuple[str, bytes, int]:
    """Return byte order, receipt and the place where the words begin."""
    start = head.HEAD["<"].size
    truncated = JournalError("truncated", f"{path} ends inside its header", COPY)
    if not any(data[:start]):
        raise JournalError("unborn", f"the process of {path} was killed at its very start", "nothing")
    if data[: len(head.MAGIC)] != head.MAGIC[: len(data)]:
        raise JournalError("foreign", f"{path} is not a journal", REMOVE)
    if len(data) < start:
        raise truncated
    _, version, order_byte, _, _ = head.HEAD["<"].unpack_from(data)
    if version != head.VERSION:
        raise JournalError(
            "version",
            f"{path} has format version {version}, this is version {head.VERSION}",
            "report with the coverage-spy that recorded it, or record again",
        )
    order = order_byte.decode("latin-1")
    if order not in head.HEAD:
        raise JournalError("truncated", f"{path} has a damaged header", COPY)
    _, _, _, length, checksum = head.HEAD[order].unpack_from(data)
    text = data[start : start + length]
    if len(text) < length or zlib.crc32(text) != checksum:
        raise truncated
    return order, text, start + length + -(start + length) % 8


def _receipt(path: Path, text: bytes) -> Receipt:
    try:
        found = json.loads(text.decode("ascii"))
        values = {field.name: found[field.name] for field in fields(Receipt)}
        if _is_sound(values):
            return Receipt(**values | {"refusals": tuple(map(_refusal, values["refusals"]))})
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise JournalError("foreign", f"{path} has a receipt that is none", REMOVE)


def _is_sound(values: Mapping[str, Any]) -> bool:
    types = {field.name: field.type for field in fields(Receipt)} | {"settings": dict, "refusals": list}
    return (
        all(type(value) is types[key] for key, value in values.items())
        and 0 <= values["started"] < YEAR_3000
        and all(abs(values[key]) <= LARGEST_NUMBER for key in ("pid", "segment"))
    )


def _refusal(found: Any) -> Refusal:
    """Raise KeyError and TypeError for what is none."""
    if type(found) is str:
        return Refusal("", (found,))
    code, evidence = found["code"], found["evidence"]
    if type(evidence) is not list or not all(type(text) is str for text in (code, *evidence)):
        raise TypeError
    return Refusal(code, tuple(evidence))


def _decode(path: Path, receipt: Receipt, all_words: "array[int]", unread: int) -> Journal:
    # The kinds alone say where there is something: noise and zeros are passed over by C code.
    kinds = all_words.tobytes()[7::8] if sys.byteorder == "little" else all_words.tobytes()[::8]
    places = [place for place, kind in enumerate(kinds) if words.FILE <= kind <= words.END]
    names, digests, unreadable = _files(all_words[place] for place in places if kinds[place] == words.FILE)
    unreadable += unread + len(all_words) - len(places) - all_words.count(0) - all_words.count(RIVAL_WORD)
    lines: dict[str, set[int]] = defaultdict(set)
    arcs: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for place in places:
        word = all_words[place]
        kind = kinds[place]
        if kind == words.FILE or word == words.END << words.KIND_SHIFT:
            continue
        number = word >> words.NUMBER_SHIFT & 0xFFFF
        name, tag, last = names.get(number, ("", -1, -1))
        if kind == words.LINE and not receipt.branch and tag == word >> words.TAG_SHIFT & 0xFFFF:
            lines[name].add(min(word & words.LAST_LINE, last + 1))
            continue
        if words.ARC <= kind < words.END and receipt.branch and name:
            start, end = word >> words.FROM_SHIFT & words.LAST_ARC_LINE, word & words.LAST_ARC_LINE
            signs = kind - words.ARC
            inside = max(start, end) <= last
            arc = (-start if signs & 1 else start, -end if signs & 2 else end)
            arcs[name].add(arc if inside else (last + 1, last + 1))
            continue
        unreadable += 1
    final = all_words[-1] if all_words else 0
    return Journal(path, receipt, digests, dict(lines), dict(arcs), final, unreadable)


def _files(file_words: Iterable[int]) -> tuple[dict[int, tuple[str, int, int]], dict[str, Digest | None], int]:
    """Return file number -> name, tag and last line, and name -> digest, of the records that are whole.

    And how many words are no use.
    """
    records: dict[int, bytearray] = defaultdict(bytearray)
    for word in file_words:
        records[word >> words.NUMBER_SHIFT & 0xFFFF] += (word & (1 << words.NUMBER_SHIFT) - 1).to_bytes(5, "big")
    names: dict[int, tuple[str, int, int]] = {}
    digests: dict[str, Digest | None] = {}
    unreadable = 0
    for number, record in records.items():
        length = words.RECORD_HEAD + int.from_bytes(record[:2], "big")
        end = length + -length % 5
        if len(record) < end:
            continue
        unreadable += (len(record) - end) // 5  # a stray word takes nothing away from a record that is whole
        name = bytes(record[words.RECORD_HEAD : length]).decode("utf-8", "surrogateescape")
        if any(record[length:end]) or not _is_name(name, length - words.RECORD_HEAD):
            unreadable += end // 5
            continue
        size, crc = int.from_bytes(record[2:6], "big"), int.from_bytes(record[6:10], "big")
        digest = None if size == words.UNREADABLE else Digest(size, crc)
        # A file has no more lines than bytes, and one. Other code has more, and one stands for them: bits are costly.
        last = words.LAST_LINE if digest is None else size + 1
        names[number] = name, zlib.crc32(record[:length]) & 0xFFFF, last
        # Two sources under one name: neither vouches for the lines.
        digests[name] = digest if digests.get(name, digest) == digest else None
    return names, digests, unreadable


def _is_name(name: str, length: int) -> bool:
    return length <= LONGEST and name.startswith("/") and "\0" not in name and posixpath.normpath(name) == name
