"""Where start-up ends and traffic begins: how long each journal was when the stack was ready."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from .files import read_json
from .journals import JournalError, count_words, find_journals
from .project import Project, beside, say


def mark_startup(project: Project, before: Collection[Path]) -> None:
    """Keep the length of every journal, in words, in coverage-data/startup.json.

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
        with beside(project.data / "startup.json") as file:
            file.write_text(json.dumps(marks) + "\n")
    except OSError as error:
        say(f"cannot write to {project.data} ({error.strerror}): start-up will not be told from traffic")


def read_marks(project: Project) -> Mapping[str, int]:
    """Name of a journal -> its words when the stack was ready; nothing when nobody kept them."""
    try:
        marks = read_json(project.data / "startup.json")
        return {str(name): max(int(words), 0) for name, words in marks.items()}
    except (OSError, ValueError, AttributeError, TypeError, OverflowError):
        return {}
