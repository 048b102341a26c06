"""The application that is served: many small functions, and which of its lines an answer proves to have run."""

import shutil
from functools import cache
from itertools import product
from pathlib import Path

SERVED = Path(__file__).resolve().parent / "served"
PARTS, STEPS = 20, 5  # modules, and functions in each that are asked for; one more in each never is
URLS = tuple(f"/{part}/{step}/{n}" for part, step, n in product(range(PARTS), range(STEPS), (0, 1)))

Line = tuple[str, int]  # name of the file, and number


def write(directory: Path) -> None:
    """Write the application's files."""
    shutil.copytree(SERVED, directory)
    for part in range(PARTS):
        (directory / f"part{part}.py").write_text("\n".join(source(part)) + "\n")


def source(part: int) -> list[str]:
    """Return a module's lines; a mark at the end of one says which requests run it, no mark: any that reaches it."""
    lines = []
    for step in range(STEPS + 1):
        asked = f"# {step} " if step < STEPS else "# never "
        lines += [f"def step{step}(n):", f"    total = {part} {asked}"]
        lines += [f"    total += {step} * {i} + n {asked}" for i in range(10)]
        lines += [f"    if n: {asked}"]
        lines += [f"        total *= {i + 2} {asked}1" for i in range(4)]
        lines += [f"    if n > 1: {asked}", "        raise ValueError(n) # never", f"    return total {asked}", ""]
    return lines


@cache
def value(url: str) -> str:
    """Return what the application answers, but for the process that does."""
    part, step, n = map(int, url[1:].split("/"))
    names: dict[str, object] = {}
    exec("\n".join(source(part)), names)
    return str(names[f"step{step}"](n))  # type: ignore[operator]


@cache
def lines_of(url: str) -> frozenset[Line]:
    """Return the lines that have run in a process that gave the answer: those of its import among them."""
    part, step, n = url[1:].split("/")
    marks = ("", step, f"{step} 1") if n == "1" else ("", step)
    way = "odd" if int(step) % 2 else "even"
    main = (SERVED / "application.py").read_text().splitlines()
    return frozenset(marked(f"part{part}.py", source(int(part)), marks) | marked("application.py", main, ("", way)))


def lines_of_hooks() -> set[Line]:
    """Return the lines that gunicorn runs by itself, in the master and in workers, once it has replaced a worker."""
    return marked("gunicorn.conf.py", (SERVED / "gunicorn.conf.py").read_text().splitlines(), ("",))


def marked(name: str, lines: list[str], marks: tuple[str, ...]) -> set[Line]:
    """Return the lines of a file that hold code and one of these marks."""
    parts = ((number, *line.partition("#")) for number, line in enumerate(lines, 1))
    return {(name, number) for number, code, _, mark in parts if code.strip() and mark.strip() in marks}
