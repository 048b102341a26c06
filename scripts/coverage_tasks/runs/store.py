"""Runs: what was executed and which sources that speaks of; the present one, saved ones, and others' data files."""

import os
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from filecmp import cmp
from pathlib import Path, PurePosixPath

from coverage import CoverageData

from ..combined.model import LARGEST, Combined, ServiceResult, read_combined, read_record_of
from ..coverage_settings import read_settings
from ..errors import TaskError
from ..files import ANYWHERE, copy_file, make_ignored, read_end, read_file
from ..progress import Stage
from ..project import Project
from ..results.coveragepy import analyse
from ..results.lines import Lines
from ..results.results import Results, read_results
from ..sources.history import History
from ..sources.repository import Digest, Repository, is_library, is_repository_path, is_test
from ..text import printable
from .data_files import LARGEST_DATA, opened_data

PRESENT = "the present run"
# A name that is not hidden: what uploads the files of a CI job leaves hidden ones out.
DATA, COMBINED = "coverage.sqlite", "combined.json"
# In directories that are given by their paths: a saved run, or the root of a repository that was measured.
DATA_NAMES = (DATA, ".coverage")
COMBINED_NAMES = (COMBINED, f"htmlcov/{COMBINED}")
NO_SOURCE = "its source is neither in the checkout nor in git"

_STARTED = re.compile(rb'"started": ([0-9.e+]+)\s*}\s*$')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Run:
    """What was executed, by repository path.

    `files` are the lines of those that something is known of, in numbers of the source that they speak of, and
    `unknown` are others with the reason. `digests` are of the sources, `texts` the sources of which the checkout in
    `root` has another version. `combined` is None for a data file of coverage.py's own: it has no services, its sources
    are taken for the checkout's, and what it does not name was not executed. `elsewhere` are files of it that are none
    of the repository's.
    """

    name: str
    root: Path
    files: Mapping[str, Lines]
    unknown: Mapping[str, str]
    digests: Mapping[str, Digest]
    texts: Mapping[str, bytes]
    combined: Combined | None = None
    elsewhere: tuple[str, ...] = ()

    @property
    def services(self) -> Mapping[str, ServiceResult]:
        """What is known of its services; nothing when it has none."""
        return self.combined.services if self.combined else {}

    def text(self, path: str) -> bytes:
        """Return the source of one of its `files`."""
        return self.texts[path] if path in self.texts else read_file(self.root / path)

    @property
    def notes(self) -> Iterator[str]:
        """What somebody should know who reads its numbers, in sentences."""
        if self.combined is None:
            yield f"{printable(self.name)} does not say which sources it speaks of: they are taken for the checkout's"
        if self.elsewhere:
            yield (
                f"{printable(self.name)} speaks of {len(self.elsewhere)} files that are none of the repository's, "
                f"such as {printable(self.elsewhere[0])}"
            )
        for name, result in self.services.items():
            if result.processes.unaccounted and not result.why_unknown:
                yield printable(f"{name} had a process of which not all is known, in {self.name}: it may have run more")


def save_run(project: Project, name: str, force: bool) -> Path:
    """Keep what was combined last under a name, and return the directory.

    Raise TaskError when nothing was combined, the name cannot be one, or it is there and `force` is not set.
    """
    if not _NAME.fullmatch(name):
        raise TaskError(f"{name!r} cannot be a run's name: take letters, digits, points, dashes, not more than 100", 2)
    read_combined(project)
    directory = project.runs / name
    if directory.exists() and not force:
        raise TaskError(f"there is a run {name} already: take another name, or say --force to replace it")
    try:
        make_ignored(project.data)
        directory.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".", dir=directory.parent) as beside:
            made = Path(beside, name)
            made.mkdir()
            copy_file(project.coverage_file, made / DATA, LARGEST_DATA)
            copy_file(project.state / COMBINED, made / COMBINED, LARGEST)
            if directory.exists():
                directory.replace(Path(beside, "old"))
            made.replace(directory)
    except OSError as error:
        raise TaskError(f"cannot write {error.filename} ({error.strerror}): make it writable, or remove it") from None
    return directory


def saved_runs(project: Project) -> dict[str, Combined]:
    """Return the saved runs by name, the oldest first; damaged ones are left out."""
    found = {}
    for name in _names(project):
        try:
            found[name] = read_record_of(project.runs / name / COMBINED)
        except (OSError, ValueError, TaskError):
            continue
    return dict(sorted(found.items(), key=lambda item: item[1].started))


def newest_first(project: Project) -> dict[str, float]:
    """Return when each saved run was recorded, in seconds since the epoch, by name."""
    found = {name: _started(project.runs / name / COMBINED) for name in _names(project)}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _started(file: Path) -> float:
    """Return what `Combined.started` is; the last thing in a file of megabytes. 0 when nothing is there."""
    try:
        found = _STARTED.search(read_end(file, 100))
    except (OSError, TaskError):
        return 0.0
    return float(found[1]) if found else 0.0


def open_run(project: Project, word: str = "") -> Run:
    """Return the present run, or the one that a word means: a saved one's name, the path of a directory or data file.

    Raise TaskError when there is no such run, or it cannot be read.
    """
    path = Path(word)
    if not word or _is_present(project, path):
        return present_run(read_results(project), word or PRESENT)
    if word in _names(project):
        path = project.runs / word
    if path.is_file():
        return _foreign(project, word, path, ANYWHERE)
    if path.is_dir():
        return _directory(project, word, path)
    names = _names(project)
    close = get_close_matches(word, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"saved ones are {', '.join(names) or 'none'}"
    raise TaskError(f"there is neither a run nor a file {printable(word)}: {hint}", 2)


def _is_present(project: Project, path: Path) -> bool:
    """Return whether a file is, or is a copy of, what was combined last."""
    present = project.coverage_file
    return path.is_file() and present.is_file() and cmp(path, present, shallow=False)


def present_run(results: Results, name: str = PRESENT) -> Run:
    """Return the present run, out of the pass that all reports share where the sources are still the same."""
    project, combined = results.project, results.combined
    now = Repository.of_project(project).files
    if any(now.get(path) != digest for path, digest in combined.digests.items()):
        return _measured(project, name, project.coverage_file, combined)
    unknown = {**combined.unknown, **results.unparsed}
    return Run(name, project.root, results.files, unknown, combined.digests, {}, combined)


def blank_run(project: Project, paths: Iterable[str]) -> Run:
    """Return a run that executed nothing, of files of the checkout; those that it does not have are left out."""
    checkout = Repository.of_project(project)
    return _of_lines(project, PRESENT, {path: () for path in paths if path in checkout.files}, checkout)


def _names(project: Project) -> list[str]:
    return sorted(path.name for path in project.runs.glob("*") if path.is_dir() and _NAME.fullmatch(path.name))


def _directory(project: Project, name: str, directory: Path) -> Run:
    files = [directory / data for data in DATA_NAMES if _is_there(directory / data)]
    if not files:
        parts = "run `coverage combine` there first" if any(directory.glob(".coverage.*")) else "name the file itself"
        raise TaskError(f"there is no data of coverage.py's in {directory}: {parts}")
    for combined in COMBINED_NAMES:
        if _is_there(directory / combined):
            try:
                return _measured(project, name, files[0], read_record_of(directory / combined))
            except (OSError, ValueError) as error:
                raise TaskError(f"{directory / combined} cannot be read ({error}): save the run again") from None
    return _foreign(project, name, files[0])


def _is_there(file: Path) -> bool:
    return file.is_file() or file.is_symlink()  # a link is refused, wherever it leads


def _measured(project: Project, name: str, file: Path, combined: Combined) -> Run:
    with opened_data(file) as data:
        strange = next((path for path in sorted(data.measured_files()) if not is_repository_path(path)), None)
        if strange is not None:
            raise TaskError(
                f"{file} names {strange!r:.200}, and no file of a repository is called that: save the run again"
            )
        return _analysed(project, name, data, combined, Repository.of_project(project))


def _foreign(project: Project, name: str, file: Path, within: Path | None = None) -> Run:
    """Return a run out of anybody's data file: lines by repository path, without contexts; links as `read_file`."""
    checkout = Repository.of_project(project)
    lines: dict[str, set[int]] = defaultdict(set)
    with opened_data(file, within) as data:
        measured = sorted(path for path in data.measured_files() if not is_library(path))
        places = locate(measured, checkout, file.parent)
        for path, place in places.items():
            if not is_test(place):
                lines[place].update(data.lines(path) or ())
    elsewhere = tuple(path for path in measured if path not in places)
    return replace(_of_lines(project, name, lines, checkout), elsewhere=elsewhere)


def _of_lines(project: Project, name: str, lines: Mapping[str, Collection[int]], checkout: Repository) -> Run:
    with tempfile.TemporaryDirectory() as directory:
        data = CoverageData(str(Path(directory, DATA)))
        data.add_lines(lines)
        data.touch_files(sorted(lines))
        run = _analysed(project, name, data, None, checkout)
        data.close()
        return run


def _analysed(project: Project, name: str, data: CoverageData, combined: Combined | None, checkout: Repository) -> Run:
    """Return the run of a data file, analysed beside the very sources that it speaks of, in a directory for that."""
    measured = data.measured_files()
    known = combined.digests if combined else checkout.files
    digests = {path: known[path] for path in sorted(measured) if path in known}
    old = {path: digest for path, digest in digests.items() if checkout.files.get(path) != digest}
    with Stage(f"finding the sources of {name}"):
        texts = _texts(project.root, old)
    missing = dict.fromkeys(old.keys() - texts.keys(), NO_SOURCE)
    with tempfile.TemporaryDirectory() as tree:
        for path in sorted(digests.keys() - missing.keys()):
            _lay_out(Path(tree, path), texts[path] if path in texts else project.root / path, name)
        analysed = analyse(
            Path(tree), Path(data.data_filename()), combined or Combined({}), read_settings(project.root)
        )
    unknown = {**(combined.unknown if combined else {}), **analysed.unparsed, **missing}
    return Run(name, project.root, analysed.files, unknown, digests, texts, combined)


def _lay_out(place: Path, source: bytes | Path, run: str) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            place.write_bytes(source)
        else:
            place.symlink_to(source)
    except OSError as error:
        raise TaskError(f"{run} names a file that there cannot be ({error}): save the run again") from None


def _texts(root: Path, digests: Mapping[str, Digest]) -> dict[str, bytes]:
    """Return the sources with these digests, by path, as far as git has them."""
    wanted: dict[str, set[Digest]] = defaultdict(set)
    for path, digest in digests.items():
        wanted[PurePosixPath(path).name].add(digest)
    history = History(root)
    versions = history.find(wanted) if wanted else {}
    return {path: history.read(versions[digest][0]) for path, digest in digests.items() if versions.get(digest)}


def locate(measured: Iterable[str], repository: Repository, directory: Path) -> dict[str, str]:
    """Return measured path -> repository path, of files of the repository; relative ones are to `directory`.

    What was measured elsewhere is put to the vote: each path and each file of the same name say which directory there
    would be which one here, and a path goes by the pair around it that has most votes, then by the one that is nearest
    to the root. A draw decides nothing.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    for file in repository.files:
        by_name[PurePosixPath(file).name].append(file)
    by_name.pop("__init__.py", None)  # too many, and they follow the others
    found, votes = {}, Counter[tuple[str, str]]()
    strange: list[tuple[str, str]] = []
    for path in measured:
        posix = path.replace("\\", "/")
        place = os.path.relpath(directory / posix, repository.root)
        if place in repository.files:
            found[path] = place
        else:
            strange.append((path, posix))
            votes.update(_without_common_end(posix, file) for file in by_name[PurePosixPath(posix).name])
    pairs: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for (there, here), count in votes.items():
        pairs[there].append((count, here))
    for path, posix in strange:
        choices = [
            (count, -len(there), f"{here}/{posix[len(there) :].lstrip('/')}".lstrip("/"))
            for there in _heads(posix)
            for count, here in pairs[there]
        ]
        best = sorted(choices, reverse=True)[:2]
        if best and best[0][2] in repository.files and (len(best) == 1 or best[0][:2] != best[1][:2]):
            found[path] = best[0][2]
    return found


def _without_common_end(there: str, here: str) -> tuple[str, str]:
    """Return two paths without the last parts that are the same in both: directories, "" for none."""
    one, other = there.split("/"), here.split("/")
    while one and other and one[-1] == other[-1]:
        del one[-1], other[-1]
    return "/".join(one), "/".join(other)


def _heads(path: str) -> Iterator[str]:
    """Yield the directories that a path lies in, nearest first, and at last ""."""
    while path:
        path = path.rpartition("/")[0]
        yield path
