"""The data directory of a run."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import TaskError
from ..files import refuse_links
from ..progress import say
from ..project import Project
from ..text import counted
from .journals import find_journals
from .marks import forget_marks
from .sightings import forget_sightings


def prepare_data(project: Project) -> None:
    """Make the data directory, and the one for journals in it. Raise TaskError when it cannot be written.

    It is nobody else's: a service's directory of journals, which is open to every user, lies in it.
    """
    data = project.data
    refuse_links(data)
    try:
        project.journals.mkdir(parents=True, exist_ok=True)
        for directory in (data, project.journals):
            if directory.stat().st_mode & 0o022:
                directory.chmod(0o755)
        with tempfile.NamedTemporaryFile(dir=data):
            pass
        (data / ".gitignore").write_text("*\n")
    except OSError as error:
        if data.is_dir() and data.stat().st_uid != os.geteuid():
            raise TaskError(_of_somebody_else(data.parent, [data])) from None
        raise TaskError(f"cannot write to {data} ({error.strerror}): make it writable, or remove it") from None


def _of_somebody_else(root: Path, paths: Sequence[Path]) -> str:
    """The sentence about what only another user may remove; whoever reaches an engine is root in a container."""
    names = [path.relative_to(root).as_posix() for path in paths]
    inside = " ".join(f"/r/{name}" for name in names)
    return (
        f"{', '.join(names)} in {root} cannot be replaced by you, perhaps since a run as root: remove with "
        f'`sudo rm -rf {" ".join(names)}`, or `docker run --rm -v "$PWD:/r" busybox rm -rf {inside}`'
    )


def empty(project: Project) -> None:
    """Remove the journals of the run before, and what was seen of it."""
    count = len(find_journals(project.journals))
    for place in project.journals.iterdir():  # whatever a service has left there
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
    forget_sightings(project.data)
    forget_marks(project.data)
    if count:
        say(f"removed {counted(count, 'journal')} of the previous run (--append keeps them)")


def remove_data(project: Project, reports: Iterable[Path]) -> None:
    """Remove the recorded data and the reports, but no saved run. Raise TaskError for what must stay."""
    refuse_links(project.data)
    recorded, stays = [project.data], []
    if any(project.runs.glob("*")):
        kept = (project.runs, project.data / ".gitignore")
        recorded = [path for path in project.data.iterdir() if path not in kept]
        say(f"{project.runs.relative_to(project.root)} stays: remove saved runs that are no longer of use there")
    for path in (*recorded, project.coverage_file, *reports):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            stays.append(path)
    if stays:
        raise TaskError(_of_somebody_else(project.root, stays))


def open_journals(project: Project, services: Iterable[str]) -> None:
    """Make a directory for each service's journals, open to whatever user it runs as. Raise TaskError."""
    for name in services:
        place = project.journals_of(name)
        try:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o1777)
        except OSError as error:
            raise TaskError(f"cannot open {place} to {name} ({error.strerror}): remove it") from None
