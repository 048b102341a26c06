"""Writes journals as docs/journal.md describes them, without the spy: the format is checked from a second side."""

import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from coverage_tasks.findings import Finding
from coverage_tasks.project import Project
from coverage_tasks.recorded.images import store as store_image
from coverage_tasks.recorded.journals import find_journals
from coverage_tasks.recorded.stack import ServiceRecord, Stack, write_stack
from coverage_tasks.reports.formats import Report
from coverage_tasks.results.results import read_results
from coverage_tasks.runs.store import Run as SavedRun
from coverage_tasks.sources.images import Image, Interpreter
from coverage_tasks.sources.repository import digest_of

RECEIPT = {
    "process": "00000000000000aa",
    "segment": 0,
    "parent": "",
    "service": "orders",
    "window": "",
    "python": "3.12.1",
    "implementation": "cpython",
    "engine": "monitor",
    "branch": False,
    "host": "0123456789ab",
    "pid": 1,
    "started": 1700000000.5,
    "settings": {"source": ["/app"], "omit": [], "directory": "/coverage"},
    "refusals": [],
}


def header(receipt: Mapping[str, Any], order: str = "<", version: int = 1) -> bytes:
    text = json.dumps(receipt).encode("ascii")
    start = (
        b"covspy" + bytes([version]) + order.encode() + struct.pack(order + "II", len(text), zlib.crc32(text)) + text
    )
    return start + bytes(-len(start) % 8)


def record(name: bytes, source: bytes | None) -> bytes:
    size, crc = (0xFFFFFFFF, 0) if source is None else (len(source), zlib.crc32(source))
    return struct.pack(">HII", len(name), size, crc) + name


def file_words(number: int, name: bytes, source: bytes | None) -> list[int]:
    text = record(name, source)
    pieces = [text[at : at + 5].ljust(5, b"\0") for at in range(0, len(text), 5)]
    return [1 << 56 | number << 40 | int.from_bytes(piece, "big") for piece in pieces]


def line_word(number: int, name: bytes, source: bytes | None, line: int) -> int:
    tag = zlib.crc32(record(name, source)) & 0xFFFF
    return 2 << 56 | number << 40 | tag << 24 | line


def arc_word(number: int, start: int, end: int) -> int:
    kind = {(False, False): 3, (True, False): 4, (False, True): 5, (True, True): 6}[start < 0, end < 0]
    return kind << 56 | number << 40 | abs(start) << 20 | abs(end)


END, ORPHAN, LOST = 7 << 56, 8 << 56, 10 << 56


def write(
    path: Path,
    words: Iterable[int] = (),
    order: str = "<",
    version: int = 1,
    padding: int = 64,
    **receipt: Any,
) -> Path:
    values = list(words)
    body = struct.pack(f"{order}{len(values)}Q", *values)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header(RECEIPT | receipt, order, version) + body + bytes(8 * padding))
    return path


def write_lines(path: Path, files: Mapping[str, tuple[bytes | None, Iterable[int]]], **receipt: Any) -> Path:
    """A whole journal: name -> source (None: could not be read) and executed lines."""
    words: list[int] = []
    for number, (name, (source, lines)) in enumerate(files.items()):
        words += file_words(number, name.encode("utf-8", "surrogateescape"), source)
        words += [line_word(number, name.encode("utf-8", "surrogateescape"), source, line) for line in lines]
    return write(path, words, **receipt)


def write_arcs(path: Path, files: Mapping[str, tuple[bytes, Iterable[tuple[int, int]]]], **receipt: Any) -> Path:
    """A whole journal of arcs, with END: name -> source and executed arcs."""
    words: list[int] = []
    for number, (name, (source, arcs)) in enumerate(files.items()):
        words += file_words(number, name.encode(), source)
        words += [arc_word(number, *arc) for arc in arcs]
    return write(path, [*words, END], **({"branch": True, "engine": "tracer"} | receipt))


def sentences(findings: Iterable[Finding]) -> list[str]:
    return [finding.sentence for finding in findings]


class Run:
    """A project in a directory, with the state that a run leaves: journals, stack.json, images."""

    def __init__(
        self, root: Path, files: Mapping[str, str], runtime: Literal["compose", "procfile"] = "compose"
    ) -> None:
        self.project = Project(root, runtime, (root / "docker-compose.yml",))
        self.services: dict[str, ServiceRecord] = {}
        self.count = 0
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        self.project.journals.mkdir(parents=True)

    def source(self, path: str) -> bytes:
        return (self.project.root / path).read_bytes()

    def service(
        self, name: str, image: Mapping[str, bytes] | None = None, compiled: tuple[str, ...] = (), **entry: Any
    ) -> None:
        """A service in stack.json; `image`: container path -> content of the image's files, `compiled`: see Image."""
        record = ServiceRecord(**{"interpreters": ("3.12",), **entry})
        if image is not None:
            digests = {path: digest_of(content) for path, content in image.items()}
            interpreters = (Interpreter("/usr/local/bin/python3.12", "3.12", ".so"),)
            file = self.project.state / "images" / f"{name}.json"
            store_image(file, Image(name, name, {}, "/app", "", interpreters, digests, compiled=compiled))
            record = replace(record, content=name)
        self.services[name] = record
        on_host = self.project.runtime == "procfile"
        write_stack(
            self.project.state, Stack(self.project.runtime, "p", on_host, dict(self.services), started=0.0, run="first")
        )

    def write(self, report: Report, before: SavedRun | None = None) -> None:
        """One report of what was combined last."""
        report.write(read_results(self.project), before)

    def forget(self) -> None:
        """Removes the journals, as a new run does."""
        for journal in find_journals(self.project.journals):
            journal.unlink()

    def place(self, service: str) -> Path:
        """The directory that a service writes to; one without a name writes where it belongs to none."""
        place = self.project.journals_of(service) if service else self.project.journals
        place.mkdir(exist_ok=True)
        return place

    def _next(self, service: str, receipt: dict[str, Any]) -> Path:
        self.count += 1
        receipt.setdefault("process", f"{self.count:016x}")
        receipt.setdefault("settings", {"source": ["/"], "omit": [], "directory": "/coverage"})
        return self.place(service) / f"{self.count:016x}.journal"

    def lines(self, service: str, files: Mapping[str, tuple[bytes | None, Iterable[int]]], **receipt: Any) -> Path:
        """One process of a service, with the lines it executed."""
        return write_lines(self._next(service, receipt), files, service=service, **receipt)

    def arcs(self, service: str, files: Mapping[str, tuple[bytes, Iterable[tuple[int, int]]]], **receipt: Any) -> Path:
        """One process of a service, with the arcs it executed."""
        return write_arcs(self._next(service, receipt), files, service=service, **receipt)


def recorded(root: Path, count: int) -> Run:
    """A run of so many sources."""
    names = [f"libs/m{number}.py" for number in range(count)]
    text = "".join(f"def f{number}(a):\n    if a:\n        return {number}\n    return a\n" for number in range(20))
    run = Run(root, dict.fromkeys(names, text) | {"Procfile": "web: true\n"}, "procfile")
    run.service("web")
    run.lines("web", {str(root / name): (run.source(name), range(1, 80)) for name in names})
    return run
