"""Annotations of a pull request on GitHub: the changed lines that no service executed, as workflow commands."""

from collections.abc import Iterable, Iterator

from .patch import Patch
from .project import counted

# GitHub shows no more warnings of one step.
MOST = 10


def annotations(patch: Patch) -> Iterator[str]:
    """A command for each stretch of changed statements that were not executed, the longest first.

    The last one says how many more there are. Escaped as GitHub's own toolkit does it.
    """
    stretches = [(path, *stretch) for path, missed in patch.missed.items() for stretch in _stretches(missed)]
    stretches.sort(key=lambda stretch: (-stretch[3], stretch[0], stretch[1]))
    shown = stretches if len(stretches) <= MOST else stretches[: MOST - 1]
    for path, first, last, count in shown:
        statements = counted(count, "changed statement")
        yield (
            f"::warning file={_property(path)},line={first},endLine={last},title=Not executed::"
            f"No service executed {statements} here"
        )
    if len(shown) < len(stretches):
        files = len({path for path, *_ in stretches[len(shown) :]})
        yield (
            f"::warning title=Not executed::{len(stretches) - len(shown)} more places in {files} files were changed "
            "and not executed: see the report"
        )


def _stretches(missed: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """First line, last line and number of statements of lines that lie together, with two lines between at most."""
    lines = sorted(missed)
    begin = 0
    for index, line in enumerate(lines):
        if index + 1 == len(lines) or lines[index + 1] > line + 3:
            yield lines[begin], line, index + 1 - begin
            begin = index + 1


def _property(text: str) -> str:
    for special, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C")):
        text = text.replace(special, code)
    return text
