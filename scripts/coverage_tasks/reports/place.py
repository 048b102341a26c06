"""Where reports are written, and which files there are ours: nothing that another tool wrote is replaced or removed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path

from ..configuration import NAME, read_configuration
from ..errors import TaskError
from ..git import ask
from ..project import Project
from ..records import RecordError, read_record, write_record
from ..sources.repository import is_repository_path

FILE = "reports.json"
VERSION = 1


@dataclass(frozen=True)
class _Written:
    """Path, relative to the repository -> the SHA-256 of what a task wrote there last."""

    files: dict[str, str] = field(default_factory=dict)


def directory_of(project: Project) -> Path:
    """Return the directory of the reports: that of `reports` in coverage-spy.yml, or the root of the repository."""
    return project.root / read_configuration(project.root).reports


def require_ours(project: Project, path: Path) -> None:
    """Raise TaskError when there is a file that no task wrote, that somebody has written since, or that git tracks."""
    if not path.exists() and not path.is_symlink():
        return
    name = _name(project, path)
    remedy = f"name a directory for reports in {NAME}, such as `reports: coverage-data/reports`"
    if ask(project.root, "ls-files", "-z", "--", f":(literal){name}").output:
        raise TaskError(f"{name} is not written, since git tracks it: {remedy}")
    if not is_ours(project, path):
        raise TaskError(f"{name} is not written, since what is there is another tool's: {remedy}, or remove it")


def is_ours(project: Project, path: Path) -> bool:
    """Return whether what is at a path is what a task wrote there last."""
    return path.is_file() and _read(project).files.get(_name(project, path)) == _digest(path)


def written(project: Project) -> tuple[list[Path], list[str]]:
    """Return the files that tasks wrote and nobody has changed since, and the names of those that another tool did."""
    ours, theirs = [], []
    for name, digest in _read(project).files.items():
        path = project.root / name
        if is_repository_path(name) and path.exists():
            if path.is_file() and _digest(path) == digest:
                ours.append(path)
            else:
                theirs.append(name)
    return ours, theirs


def remember(project: Project, paths: Iterable[Path]) -> None:
    """Note what was written just now. Raise TaskError when that is impossible."""
    written = {_name(project, path): _digest(path) for path in paths if path.is_file()}
    try:
        write_record(project.state / FILE, _Written({**_read(project).files, **written}), VERSION)
    except OSError as error:
        raise TaskError(f"cannot write {project.state / FILE} ({error.strerror}): make room there") from None


def _name(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()


def _read(project: Project) -> _Written:
    try:
        return read_record(project.state / FILE, _Written, VERSION)
    except (FileNotFoundError, RecordError):
        return _Written()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
