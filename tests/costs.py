"""What work costs, counted and not timed: counts are the same on every machine and under every load."""

import resource
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

_counters: list[tuple[Path, Counter[str]]] = []
_hooked = False


def steps(work: Callable[[], object]) -> int:
    """How many instructions Python executes for it, in this thread."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
        nonlocal count
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@contextmanager
def bounded() -> Iterator[None]:
    """256 MiB more than the process has."""
    pages = Path("/proc/self/statm")
    limits = resource.getrlimit(resource.RLIMIT_AS)
    if pages.exists():
        size = int(pages.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (256 << 20), limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@contextmanager
def opened(root: Path) -> Iterator[Counter[str]]:
    """Counts how often each file below `root` is opened meanwhile, by its path from there."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_count)  # for good: a hook cannot be taken away
        _hooked = True
    _counters.append((root, Counter()))
    try:
        yield _counters[-1][1]
    finally:
        _counters.pop()


def _count(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | Path):
        for root, counter in _counters:
            path = root.joinpath(arguments[0])
            if path.is_relative_to(root):
                counter[str(path.relative_to(root))] += 1
