"""What the bytes of a file claim by docs/journal.md: a second reader, as plain and slow as the document."""

import json
import posixpath
import struct
import zlib
from typing import Any, NamedTuple

TEXTS = ("process", "parent", "service", "window", "python", "implementation", "engine", "host")
KEYS = (*TEXTS, "segment", "branch", "pid", "started", "settings", "refusals")
FILE, LINE, ARC, END, ORPHAN, RIVAL, LOST = 1, 2, range(3, 7), 7 << 56, 8 << 56, 9 << 56, 10 << 56

Digest = tuple[int, int] | None  # size, CRC-32


class Claims(NamedTuple):
    """All that a journal says. `ended`: END is its last word; `orphaned`: a child could open no journal; `lost`: words
    found none; `rival`: the application set a trace function.

    `early` are the lines that its first words tell of.
    """

    receipt: dict[str, Any]
    files: dict[str, Digest]
    lines: set[tuple[str, int]]
    arcs: set[tuple[str, int, int]]
    ended: bool
    empty: bool
    orphaned: bool
    lost: bool
    rival: bool
    unreadable: int
    early: set[tuple[str, int]]

    @property
    def touched(self) -> set[tuple[str, int]]:
        """The lines, those that begin or end an arc too."""
        return self.lines | {(name, line) for name, *arc in self.arcs for line in arc if line > 0}


def claims_of(content: bytes, early: int = 0) -> Claims | str:
    """The claims of a journal with this content, or the kind of error when it is none; `early` words are its first."""
    parts = parts_of(content)
    if isinstance(parts, str):
        return parts
    _, text, words = parts
    found = json.loads(text)
    receipt = {key: found[key] for key in KEYS}
    receipt["refusals"] = [refusal_of(refusal) for refusal in receipt["refusals"]]
    return _claims(receipt, words)._replace(early=_claims(receipt, words[:early]).touched)


def parts_of(content: bytes) -> tuple[str, bytes, list[int]] | str:
    """Byte order, receipt and words of a journal, or the kind of error when it is none."""
    if not any(content[:16]):
        return "unborn"
    if content[:6] != b"covspy":
        return "truncated" if b"covspy".startswith(content) else "foreign"
    if len(content) < 16:
        return "truncated"
    if content[6] != 1:
        return "version"
    if content[7] not in b"<>":
        return "truncated"
    order = chr(content[7])
    length, checksum = struct.unpack(order + "II", content[8:16])
    text = content[16 : 16 + length]
    if len(text) < length or zlib.crc32(text) != checksum:
        return "truncated"
    if not _is_receipt(text):
        return "foreign"
    start = 16 + length
    while start % 8:
        start += 1
    words = [struct.unpack(order + "Q", content[at : at + 8])[0] for at in range(start, len(content) - 7, 8)]
    return order, text, words


def _is_receipt(text: bytes) -> bool:
    """Whether a receipt is JSON in ASCII and has all keys, with the values that the document's table says."""
    try:
        found = json.loads(text.decode("ascii"))
        return (
            all(type(found[key]) is str for key in TEXTS)
            and all(type(found[key]) is int and abs(found[key]) <= 1 << 53 for key in ("segment", "pid"))
            and type(found["branch"]) is bool
            and type(found["started"]) is float
            and abs(found["started"]) < float("inf")
            and type(found["settings"]) is dict
            and type(found["refusals"]) is list
            and all(map(_is_refusal, found["refusals"]))
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _is_refusal(found: Any) -> bool:
    """Whether it has a code and texts for its evidence, or is a sentence."""
    if type(found) is dict:
        evidence = found["evidence"]
        return type(found["code"]) is str and type(evidence) is list and all(type(text) is str for text in evidence)
    return type(found) is str


def refusal_of(found: Any) -> tuple[str, list[str]]:
    """Code and evidence; a sentence has no code."""
    return (found["code"], found["evidence"]) if type(found) is dict else ("", [found])


def _claims(receipt: dict[str, Any], words: list[int]) -> Claims:
    orphaned = words[-1:] == [ORPHAN]
    lost = words[-2:-1] == [LOST] and (orphaned or words[-1] == 0)
    if lost:
        words = words[:-2]
    elif orphaned:
        words = words[:-1]
    words = [word for word in words if word]  # a word of zero means nothing
    names, files, unreadable = _files(words)
    lines, arcs = set(), set()
    for word in words:
        kind, number, rest = word >> 56, word >> 40 & 0xFFFF, word & 0xFFFFFFFFFF
        name, tag, size = names.get(number, (None, None, 0))
        start, end = rest >> 20, rest & 0xFFFFF
        numbers = [rest & 0xFFFFFF] if kind == LINE else [start, end]
        inside = all(line <= size + 1 or size == 0xFFFFFFFF for line in numbers)
        if kind == LINE and inside and name is not None and rest >> 24 == tag and not receipt["branch"]:
            lines.add((name, rest & 0xFFFFFF))
        elif kind == LINE and name is not None and rest >> 24 == tag and not receipt["branch"]:
            lines.add((name, size + 2))
        elif kind in ARC and inside and name is not None and receipt["branch"]:
            arcs.add((name, -start if kind in (4, 6) else start, -end if kind in (5, 6) else end))
        elif kind in ARC and name is not None and receipt["branch"]:
            arcs.add((name, size + 2, size + 2))
        elif kind != FILE and word not in (END, RIVAL):
            unreadable += 1
    rival = RIVAL in words
    return Claims(receipt, files, lines, arcs, words[-1:] == [END], not words, orphaned, lost, rival, unreadable, set())


def _files(words: list[int]) -> tuple[dict[int, tuple[str, int, int]], dict[str, Digest], int]:
    """Names, tags and sizes by number, digests by name, and how many FILE words are of no use."""
    names: dict[int, tuple[str, int, int]] = {}
    sources: dict[str, set[Digest]] = {}
    unreadable = 0
    for number in sorted({word >> 40 & 0xFFFF for word in words if word >> 56 == FILE}):
        pieces = [(word & 0xFFFFFFFFFF).to_bytes(5, "big") for word in words if word >> 40 == FILE << 16 | number]
        wanted = 10 + int.from_bytes(pieces[0][:2], "big")
        while wanted % 5:
            wanted += 1
        if 5 * len(pieces) < wanted:
            continue  # torn
        unreadable += len(pieces) - wanted // 5
        whole = b"".join(pieces)[:wanted]
        length, size, checksum = struct.unpack(">HII", whole[:10])
        name, padding = whole[10 : 10 + length], whole[10 + length :]
        path = name.decode("utf-8", "surrogateescape")
        if (
            not path.startswith("/")
            or path != posixpath.normpath(path)
            or "\0" in path
            or length > 4096
            or any(padding)
        ):
            unreadable += wanted // 5
            continue
        names[number] = path, zlib.crc32(whole[: 10 + length]) & 0xFFFF, size
        sources.setdefault(path, set()).add(None if size == 0xFFFFFFFF else (size, checksum))
    return names, {name: found.pop() if len(found) == 1 else None for name, found in sources.items()}, unreadable
