"""The state directory of a checkout: made, found to be this checkout's, emptied for a run, removed."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import TaskError
from ..files import read_text, refuse_links
from ..progress import say
from ..project import Project
from ..text import counted, printable
from .journals import find_journals
from .marks import forget_marks
from .sightings import forget_sightings

OWNER = "checkout"  # the file that says whose the directory is


def refuse_foreign(project: Project) -> None:
    """Raise TaskError when a directory of ours is a link, or the state is that of another checkout."""
    refuse_links(project.data)
    refuse_links(project.state)
    try:
        owner = read_text(project.state / OWNER, errors="surrogateescape").rstrip("\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise TaskError(_unwritable(project.state, error)) from None
    if owner != str(project.root):
        raise TaskError(
            f"{project.state} has the state of the checkout {printable(owner)}: set COVERAGE_SPY_STATE to another "
            "directory, or unset it"
        )


def prepare_state(project: Project) -> None:
    """Make the state directory, and the one for journals in it. Raise TaskError when it cannot be written.

    It is nobody else's: a service's directory of journals, which is open to every user, lies in it.
    """
    state = project.state
    refuse_foreign(project)
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        project.journals.mkdir(exist_ok=True)
        for directory in (state, project.journals):
            if directory.stat().st_mode & 0o022:
                directory.chmod(0o755)
        with tempfile.NamedTemporaryFile(dir=state):
            pass
        (state / OWNER).write_text(f"{project.root}\n", errors="surrogateescape")
    except OSError as error:
        if state.is_dir() and state.stat().st_uid != os.geteuid():
            raise TaskError(_of_somebody_else([state])) from None
        raise TaskError(_unwritable(state, error)) from None


def empty(project: Project) -> None:
    """Remove the journals of the run before, and what was seen of it."""
    count = len(find_journals(project.journals))
    for place in project.journals.iterdir():  # whatever a service has left there
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
    forget_sightings(project.state)
    forget_marks(project.state)
    if count:
        say(f"removed {counted(count, 'journal')} of the previous run (--append keeps them)")


def remove(project: Project, reports: Iterable[Path]) -> None:
    """Remove the state, the combined data and the reports, but no saved run. Raise TaskError for what must stay."""
    refuse_foreign(project)
    results, stays = [project.data], []
    if any(project.runs.glob("*")):
        kept = (project.runs, project.data / ".gitignore")
        results = [path for path in project.data.iterdir() if path not in kept]
        say(f"{project.runs.relative_to(project.root)} stays: remove saved runs that are no longer of use there")
    for path in (project.state, *results, *reports):
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            stays.append(path)
    if stays:
        raise TaskError(_of_somebody_else(stays))


def open_journals(project: Project, services: Iterable[str]) -> None:
    """Make a directory for each service's journals, open to whatever user it runs as. Raise TaskError."""
    for name in services:
        place = project.journals_of(name)
        try:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o1777)
        except OSError as error:
            raise TaskError(f"cannot open {place} to {name} ({error.strerror}): remove it") from None


def _unwritable(state: Path, error: OSError) -> str:
    return (
        f"cannot write to {state} ({error.strerror}): make it writable, or set COVERAGE_SPY_STATE to another directory"
    )


def _of_somebody_else(paths: Sequence[Path]) -> str:
    """Return the sentence about what only another user may remove; whoever reaches an engine is root in a container."""
    names = " ".join(shlex.quote(str(path)) for path in paths)
    mounts = " ".join(shlex.quote(f"-v{parent}:{parent}") for parent in sorted({str(path.parent) for path in paths}))
    return (
        f"{', '.join(map(str, paths))} cannot be replaced by you, perhaps since a run as root: remove with "
        f"`sudo rm -rf {names}`, or `docker run --rm {mounts} busybox rm -rf {names}`"
    )
