"""Damages journals: as bytes, and with an intact head in their words or in their receipt."""

import json
import random
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import journal_files as jf
from fuzz.model import parts_of

BOUNDARIES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x3C, 0x3E, 127, 128, 255, 65535, 1 << 20, 1 << 23, (1 << 64) - 1)
FIELDS = ((56, 8), (56, 8), (40, 16), (24, 16), (0, 24), (20, 20), (0, 20), (0, 40), (32, 8), (0, 64))  # shift, bits
NAMES = (
    *(b"/a.py", b"/a.py", b"/b.py", b"a.py", b"", b"/../a.py", b"/a//b.py", b"/a/", b"//a.py", b"/", b"/a\0.py"),
    *(b"/caf\xe9.py", b"/\xed\xb2\x80.py", b"/\n|<b>`.py", b"/" + b"a" * 4095, b"/" + b"a" * 4096, b"/b" * 30_000),
)
JSON = (
    *("null", "true", "false", "0", "-1", "7", "1.5", "-0.0", "1e999", "NaN", "-Infinity", str(2**64), "9" * 400),
    *("9" * 4300, "9" * 5000, '""', '"x"', '"\\ud800"', '"\\u0000"', '"\\u001b[31m\\n|<b>`"', f'"{"x" * 70_000}"'),
    *('["x"]', "[7]", '["\\udc80", "\\n"]', "[]", "{}", '{"source": 1}', "[" * 50 + "]" * 50, "[" * 100_000, "tru"),
    *('{"a":' * 100_000 + "1" + "}" * 100_000, '"\xe9"', "'x'", "{", '"monitor"', '"tracer"', '"none"', '"3.12.1"'),
    f'"{"9" * 5000}.1"',
    *('[{"code": "x", "evidence": ["\\ud800", ""]}]', '[{"code": "x"}]', '[{"code": "x", "evidence": "y"}]'),
    *('[{"code": 7, "evidence": []}]', '[{"code": "switch", "evidence": [7]}]', "[[]]"),
)


def join(order: str, receipt: bytes, words: Sequence[int]) -> bytes:
    head = b"covspy\x01" + order.encode() + struct.pack(order + "II", len(receipt), zlib.crc32(receipt)) + receipt
    return head + bytes(-len(head) % 8) + struct.pack(f"{order}{len(words)}Q", *words)


def rearrange(rng: random.Random, items: Any, other: Any) -> None:
    """Move, lose, repeat, blank or mix in a stretch of bytes or of words."""
    at, there = rng.randint(0, len(items)), rng.randint(0, len(other))
    length = rng.choice((1, 1, 2, 8, 16, 64, len(items)))
    stretch, blank = items[at : at + length], type(items)([0])
    match rng.randrange(9):
        case 0:
            del items[at:]
        case 1:
            del items[at : at + length]
        case 2:
            items[at:at] = stretch
        case 3:
            items[at:at] = blank * rng.choice((1, 8))
        case 4:
            items[at : at + length] = blank * len(stretch)
        case 5:
            items[at:at] = other[there : there + length]
        case 6:
            items[at:] = other[there:]
        case 7:
            items[at : at + length] = other[there : there + length]
        case 8:
            del items[at : at + length]
            at = rng.randint(0, len(items))
            items[at:at] = stretch


def change_byte(rng: random.Random, content: bytearray) -> None:
    at = rng.randrange(rng.choice((min(16, len(content)), len(content))))
    content[at] = rng.choice((content[at] ^ 1 << rng.randrange(8), rng.choice(BOUNDARIES) & 255))


def change_word(rng: random.Random, words: list[int]) -> None:
    at = rng.choice((rng.randrange(len(words)), -1))
    shift, bits = rng.choice(FIELDS)
    mask = (1 << bits) - 1
    value = rng.choice((rng.choice(BOUNDARIES), rng.getrandbits(bits), words[at] >> shift ^ 1 << rng.randrange(bits)))
    words[at] = words[at] & ~(mask << shift) | (value & mask) << shift


def add_file(rng: random.Random, words: list[int]) -> None:
    """A file with a line and an arc, under any number."""
    number, name, source = rng.choice((0, 1, 2, 65535)), rng.choice(NAMES), rng.choice((None, b"", b"a = 1\n"))
    at = rng.randint(0, len(words))
    line, arc = jf.line_word(number, name, source, 1), jf.arc_word(number, -1, 1)
    words[at:at] = [*jf.file_words(number, name, source), line, arc]


def change_receipt(rng: random.Random, receipt: bytes) -> bytes:
    """Another value, a key less, a key twice, or damaged text; its checksum will be right."""
    if rng.random() < 0.3:
        return damaged_bytes(rng, rng.choice((receipt, receipt, receipt.decode("ascii").encode("utf-16"))), receipt)
    if rng.random() < 0.1:
        return rng.choice(JSON).encode()
    pairs = [(json.dumps(key), json.dumps(value)) for key, value in json.loads(receipt).items()]
    at = rng.randrange(len(pairs))
    other = [(pairs[at][0], rng.choice(JSON))]
    pairs[at : at + rng.randint(0, 1)] = rng.choice((other, other, other, [], other * 2))
    return ("{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}").encode()


def damaged_bytes(rng: random.Random, content: bytes, other: bytes) -> bytes:
    changed = bytearray(content)
    if changed and rng.random() < 0.5:
        change_byte(rng, changed)
    else:
        rearrange(rng, changed, bytearray(other))
    return bytes(changed)


def damaged(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """The file with one damage or several: as bytes, or in its receipt or words with the rest intact."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        parts = parts_of(content)
        if isinstance(parts, str) or rng.random() < 0.4:
            content = damaged_bytes(rng, content, other)
            continue
        order, receipt, words = parts
        others = parts_of(other)
        if isinstance(others, str):
            others = parts
        chosen = rng.random()
        if chosen < 0.2:
            receipt = change_receipt(rng, receipt)
        elif chosen < 0.3:
            order, receipt = rng.choice(((">", receipt), ("<", receipt), (order, others[1])))
        elif chosen < 0.4:
            add_file(rng, words)
        elif words and chosen < 0.7:
            change_word(rng, words)
        else:
            rearrange(rng, words, others[2])
        content = join(order, receipt, words)
    return content
