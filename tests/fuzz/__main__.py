"""Damages real journals and checks that the reader takes it, and that it says what docs/journal.md says.

Every input is read by recorded/journals.py and by the model in fuzz/model.py, and both must say the same: nothing
that the bytes do not justify, and all that they do. Nothing but JournalError may be raised, a file may cost a second at
most, and a journal that is cut off claims nothing that the whole does not. An input that reaches something new is kept
and damaged further; on Python 3.12 or newer, lines and branches of the reader count. Now and then the tasks report on a
directory of such files: each that is damaged is named, no line is there that no journal claims, and nothing else ends
in a traceback.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz.checks import Wrong, check, report, watched
from fuzz.damage import damaged, join
from fuzz.model import claims_of, parts_of
from machine import INTERPRETERS, SPY, number

from coverage_tasks.injection.payload import fill_payload
from coverage_tasks.sources.images import Interpreter

LONGEST = 8 << 10  # bytes of an input that is damaged further, or damage upon damage would make them grow
MEMORY = 4 << 30  # bytes of address space
PER_DIRECTORY = 30  # files that are reported on together
SHRINK = 10.0  # seconds that go to making an input smaller
DESCRIBE = "from importlib.machinery import EXTENSION_SUFFIXES as s; print(s[0])"

# Runs a file whose name is not UTF-8, forks a child that has a journal and one that can open none, and fills more than
# one journal.
PROGRAM = """
import os, resource, runpy, sys
runpy.run_path(os.path.join(os.getcwd(), os.fsdecode(b"caf\\xe9.py")))
def fork():
    if os.fork() == 0:
        os._exit(0)
    os.wait()
fork()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
fork()
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
import few
if len(sys.argv) > 1:
    import many
"""
SOURCES = {
    "app.py": PROGRAM,
    os.fsdecode(b"caf\xe9.py"): "a = 1\n",
    "few.py": "a = 1\nfor b in (1, 2):\n    pass\n",
    "many.py": "a = 1\n" * 2500,
    "Procfile": "app: python3 app.py\n",
}


def fetch_tracers(versions: Sequence[str]) -> None:
    """Get what the spy needs for branches, and for lines below 3.12."""
    for version in versions:
        python = INTERPRETERS[version]
        suffix = subprocess.check_output([python, "-c", DESCRIBE], text=True).strip()
        fill_payload([Interpreter(python, version, suffix)], SPY / "payload")


def record(root: Path, versions: Sequence[str]) -> list[bytes]:
    """Run a program under the spy, with lines and with branches. Returns the journals; the sources stay in `root`."""
    data = root / "journals"
    data.mkdir()
    for name, text in SOURCES.items():
        (root / name).write_text(text)
    for version in versions:
        for branch, *arguments in (("false", "many"), ("false",), ("true",)):
            environment = {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(SPY),
                "PYTHONDONTWRITEBYTECODE": "1",
                "COVERAGE_ENABLE": "true",
                "COVERAGE_FILE": f"{data}/.coverage.python-{version}",
                "COVERAGE_SOURCE": str(root),
                "COVERAGE_BRANCH": branch,
            }
            command = [INTERPRETERS[version], "app.py", *arguments]
            subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
    return [path.read_bytes() for path in sorted(data.iterdir())]


def thin(content: bytes) -> bytes:
    """The journal with fewer words: what is short is damaged and read faster."""
    parts = parts_of(content)
    assert not isinstance(parts, str), parts
    order, receipt, words = parts
    return join(order, receipt, [*words[:150], *words[150:][-8:]])


@dataclass
class Fuzzer:
    """One run. `wrong` holds what was found, by kind; the inputs that show it lie in `save`, made smaller.

    `missed` are the lines of the reader that were not reached, None where that is not known.
    """

    root: Path
    seeds: Sequence[bytes]
    rng: random.Random
    save: Path
    corpus: list[bytes] = field(default_factory=list)
    inputs: int = 0
    directories: int = 0
    wrong: dict[str, str] = field(default_factory=dict)
    missed: list[int] | None = None

    def run(self, seconds: float, inputs: int = sys.maxsize, per_directory: int = 1000) -> None:
        """Go on until the time is over or there were enough inputs; a directory comes after every so many of them."""
        until = time.monotonic() + seconds
        self.corpus = [thin(seed) for seed in self.seeds]
        sorts: set[object] = set()
        first = self.unchanged_and_cut_off()
        with watched() as (seen, lines):
            while self.inputs < inputs and time.monotonic() < until:
                content = next(first, None)
                if content is None:
                    content = damaged(self.rng, *self.rng.choices(self.corpus, k=2))
                before = len(seen)
                sort = self.try_one(content)
                if len(content) <= LONGEST and (len(seen) > before or sort not in sorts):
                    sorts.add(sort)
                    self.corpus.append(content)
                if self.inputs % per_directory == 0:
                    self.try_directory()
            self.missed = sorted(lines - seen) if seen else None

    def unchanged_and_cut_off(self) -> Iterator[bytes]:
        """What was recorded, and the smallest of it cut off at every byte."""
        yield from self.seeds
        content = min(self.corpus, key=len)
        yield from (content[:end] for end in range(len(content)))

    def try_one(self, content: bytes) -> object:
        """Check one input. Returns what sort of input it is."""
        self.inputs += 1
        path, cut = self.root / "input.journal", self.rng.random()
        try:
            return check(path, content, cut)
        except Wrong as wrong:
            what = wrong.what
            if what not in self.wrong:
                self.keep(wrong, [smaller(content, lambda less: is_wrong(what, check, path, less, cut))])
            return what

    def try_directory(self) -> None:
        """Report on inputs together, beside some real journals; lines and branches together are shown as lines."""
        self.directories += 1
        apart = self.rng.choice((None, False, True))
        count = self.rng.randint(1, PER_DIRECTORY)
        contents = [damaged(self.rng, *self.rng.choices(self.corpus, k=2)) for _ in range(count)]
        contents += self.rng.choices(self.seeds, k=self.rng.randint(1, 6))
        if apart is not None:
            contents = [content for content in contents if has_branches(content) in (None, apart)]
        try:
            report(self.root, contents)
        except Wrong as wrong:
            what = wrong.what
            if what not in self.wrong:
                self.keep(wrong, smaller(contents, lambda less: is_wrong(what, report, self.root, less)))

    def keep(self, wrong: Wrong, contents: Sequence[bytes]) -> None:
        """Write the inputs that show what is wrong."""
        place = self.save / f"{len(self.wrong)}"
        place.mkdir(parents=True, exist_ok=True)
        for index, content in enumerate(contents):
            (place / f"{index}.journal").write_bytes(content)
        self.wrong[wrong.what] = f"{place}: {wrong}"


def has_branches(content: bytes) -> bool | None:
    """Whether a journal holds branches; None when it is none."""
    found = claims_of(content)
    return None if isinstance(found, str) else found.receipt["branch"]


def smaller(items: Any, is_still_wrong: Callable[[Any], bool]) -> Any:
    """Bytes, or a list of files, without the pieces that do not matter."""
    until = time.monotonic() + SHRINK
    size = len(items) // 2
    while size:
        for at in range(len(items) - size, -1, -size):
            if time.monotonic() > until:
                return items
            fewer = items[:at] + items[at + size :]
            if fewer and is_still_wrong(fewer):
                items = fewer
        size //= 2
    return items


def is_wrong(what: str, look: Callable[..., object], *arguments: object) -> bool:
    """Whether a check still finds the same."""
    try:
        look(*arguments)
    except Wrong as wrong:
        return wrong.what == what
    return False


def check_again(root: Path, contents: Sequence[bytes]) -> int:
    """Check each input, cut at every tenth, and report on all of them. Returns 1 when something is wrong."""
    record(root, [])
    found = set()
    for look, *arguments in (
        *((check, root / "input.journal", content, tenth / 10) for content in contents for tenth in range(10)),
        (report, root, contents),
    ):
        try:
            look(*arguments)
        except Wrong as wrong:
            found.add(str(wrong))
    print(*found or ["nothing is wrong"], sep="\n")
    return int(bool(found))


def main() -> int:
    """Fuzz, or check the files that are given. Returns 1 when something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="check these, and nothing else")
    parser.add_argument("--seconds", type=float, default=60, help="how long; default: 60")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="of the damage; default: any")
    parser.add_argument("--save", type=Path, metavar="DIR", help="where inputs go that show something wrong")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory).resolve()
        if args.files:
            return check_again(root, [file.read_bytes() for file in args.files])
        versions = [version for version in INTERPRETERS if number(version) >= (3, 6)]
        fetch_tracers([version for version in versions if number(version) >= (3, 8)])
        seeds = record(root, versions)
        save = args.save or Path(tempfile.gettempdir(), f"coverage-spy-fuzz-{args.seed}")
        print(f"seed {args.seed}: {len(seeds)} journals of CPython {', '.join(versions)}", flush=True)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        fuzzer = Fuzzer(root, seeds, random.Random(args.seed), save)
        fuzzer.run(args.seconds)
    print(
        f"{fuzzer.inputs} inputs, {fuzzer.inputs / args.seconds:.0f} a second, a corpus of {len(fuzzer.corpus)}, "
        f"{fuzzer.directories} directories"
    )
    print("lines of the reader that were not reached:", "unknown" if fuzzer.missed is None else fuzzer.missed)
    print(*fuzzer.wrong.values(), sep="\n")
    return int(bool(fuzzer.wrong))


if __name__ == "__main__":
    sys.exit(main())
