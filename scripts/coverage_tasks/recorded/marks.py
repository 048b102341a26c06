"""Where start-up ends and traffic begins: how long each journal was when the stack was ready."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..progress import say
from ..project import Project
from ..records import RecordError, read_record, write_record
from .journals import JournalError, count_words, find_journals

FILE = "marks.json"
VERSION = 1


@dataclass(frozen=True)
class _Marks:
    startup: dict[str, int]


def mark_startup(project: Project, before: Collection[Path]) -> None:
    """Keep the length of every journal, in words.

    A journal that comes later is all traffic, and those that were there `before` have their marks or need none.
    """
    marks = dict(read_marks(project))
    for path in find_journals(project.journals):
        if path not in before:
            try:
                marks[path.name] = count_words(path)
            except JournalError:
                continue  # combine names it
    try:
        write_record(project.state / FILE, _Marks(marks), VERSION)
    except OSError as error:
        say(f"cannot write to {project.state} ({error.strerror}): start-up will not be told from traffic")


def read_marks(project: Project) -> Mapping[str, int]:
    """Return the name of each journal -> its words when the stack was ready; nothing when there are no marks."""
    try:
        found = read_record(project.state / FILE, _Marks, VERSION).startup
    except (FileNotFoundError, RecordError):
        return {}
    return {name: max(words, 0) for name, words in found.items()}


def forget_marks(data: Path) -> None:
    """Remove them, for a run that keeps nothing of the one before."""
    (data / FILE).unlink(missing_ok=True)
