"""From journals to one .coverage: mapped per service first, merged after, with the service as context."""

import os
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from coverage import CoverageData
from coverage.exceptions import CoverageException

from ..configuration import read_configuration
from ..coverage_settings import read_settings
from ..errors import TaskError
from ..findings import Finding
from ..progress import Stage, advance
from ..project import Project
from ..recorded.journals import Journal, read_journals
from ..recorded.marks import read_marks
from ..recorded.processes import Processes
from ..recorded.sightings import Place, read_sightings
from ..sources.history import History
from ..sources.maps import LIBRARY, SourceMap
from ..sources.repository import Digest, Repository, is_test
from ..sources.statements import Outline, lines_of
from . import painting
from .findings import claims_of, damage_of, of_dropped, of_git, of_kinds, of_service, of_unborn, of_unread
from .grouping import grouped, limited
from .merging import Merging
from .model import Combined, ServiceResult, write_combined
from .origins import Origins, of_run, recorded_stack
from .otherwise import not_seen_to_run
from .painting import Old, Painted, Ran
from .places import is_idle, never_started, of_places

# The C tracer takes lines of frames that an exception out of a signal handler ends for those of another file: a few of
# one that has many. Generated code has more of them.
MOST_STRAY, STRAY_OF = 10, 6
FOREIGN = "other code ran under its name, as what a template or a program generates, and nothing tells the lines apart"


def combine(project: Project) -> Combined:
    """Combine all journals of the project into one data file of coverage.py's, and combined.json.

    A service's own files are those its image holds, a bind mount shows it or coverage-spy.yml says are its sources,
    and sources are what it says now: they are added when a report has shown what is unmapped. Of directories that
    hold more than one service, the whole repository that is, only the import roots of what ran count: see
    `_own_files`. What was never imported counts as not executed, unless it is a test or a build file; what drifted,
    and all of a service that sent nothing, is unknown and does not count. Files are only painted with lines that ran
    on the very same source.

    Journals are read only, and damaged ones are left out. Raises TaskError when there is none to read and
    no record of a run either.
    """
    repository = Repository.of_project(project)
    merging = Merging(repository.known)
    journals, errors = read_journals(project.journals, read_marks(project), merging.take)
    damaged = [*damage_of(journals, errors)]
    damage = [*grouped("damaged", damaged)]
    stack = recorded_stack(project)
    if not journals and not stack.services:
        raise TaskError(_nothing(project, damage, len(damaged)))
    results, painted = {}, {}
    settings = read_settings(project.root)
    with Stage("finding the sources of each service", noun="service") as stage:
        seen = read_sightings(project)
        services = of_run(project, journals, repository)
        stage.of = len(services)
        for name, origins in services.items():
            results[name], painted[name] = _combine_service(origins, _of(name, seen))
            settings.leave_out(results[name], painted[name].lines, painted[name].arcs)
            advance()
    with_lines = [name for name, p in painted.items() if p.lines]
    with_arcs = [name for name, p in painted.items() if p.arcs]
    combined = Combined(results, bool(with_arcs and not with_lines), commit=History(project.root).commit)
    combined.digests = {path: digest for path in sorted(combined.files) if (digest := repository.digest(path))}
    combined.damaged = len(damaged)
    combined.run = stack.run
    combined.started = max((journal.receipt.started for journal in journals), default=stack.started)
    of_all = (
        *of_kinds(with_lines, with_arcs),
        *of_dropped(merging.dropped),
        *of_git(repository.refused),
        *of_unread(repository.unread),
        *of_unborn(errors),
    )
    of_services = _of_services(results, seen, read_configuration(project.root).may_end)
    combined.findings = [*damage, *limited((*of_all, *of_services))]
    _write(project, combined, painted)
    return combined


def _write(project: Project, combined: Combined, painted: Mapping[str, Painted]) -> None:
    try:
        with Stage("writing the combined data"):
            _write_coverage(project, combined, painted)
        write_combined(project, combined)
    except OSError as error:
        raise TaskError(
            f"cannot write {error.filename or project.coverage_file} ({error.strerror}): make it writable, or remove it"
        ) from None
    except (sqlite3.Error, CoverageException) as error:
        raise TaskError(f"cannot write {project.coverage_file} ({error}): make room there") from None


def _of(service: str, places: Iterable[Place]) -> list[Place]:
    return [place for place in places if place.service == service]


def _of_services(
    results: Mapping[str, ServiceResult], places: Collection[Place], may_end: Collection[str]
) -> Iterator[Finding]:
    """Yield what became of each service, then what its processes and sources show."""
    fates = [*of_places(places, may_end)]
    for name in dict.fromkeys((*results, *(place.service for place in places))):
        own = [fate for fate in fates if fate.service == name]
        yield from own
        if name in results:
            yield from of_service(name, results[name], not all(fate.note for fate in own))


def _nothing(project: Project, damage: Sequence[Finding], damaged: int) -> str:
    if not damage:
        return f"there is nothing to combine in {project.journals}: run up-coverage first"
    more = f"; so it is with all {damaged} of {project.journals}" if damaged > 1 else ""
    return damage[0].sentence + more


def _combine_service(origins: Origins, places: Collection[Place]) -> tuple[ServiceResult, Painted]:
    source_map, journals, record = origins.source_map, origins.journals, origins.record
    others = [] if journals or not is_idle(places) else sorted({name for place in places for name in place.programs})
    began = [place for place in places if place.started and not others]
    repository = source_map.repository
    result = ServiceResult(
        measured=origins.service.measured,
        reason=origins.service.reason,
        python=sorted({journal.receipt.python for journal in journals}) or list(record.interpreters),
        processes=Processes.of_service(journals, began if origins.service.measured else ()),
        never_started=not journals and never_started(places),
        other_programs=others,
        roots=list(source_map.roots),
        fallback=record.fallback,
        claims=claims_of(journals, origins.service.name),
    )
    painted, imported = Painted(), set()
    old: dict[str, Old] = {}
    foreign = set(_bear_a_name_only(origins))
    for journal in journals:
        for path, digest in journal.files.items():
            match = origins.find(path, digest)
            ran = _ran(journal, path)
            if (path, digest) in foreign or match.path in foreign:
                # What was never a file of the repository is nothing that is unknown of it.
                if match.path and match.path in repository.files:
                    result.unknown[match.path] = FOREIGN
            elif match.state == "same" and match.path:
                imported.add(match.path)
                # Any line that is not its own would have made it foreign, but for the tracer's.
                outline = repository.outline(match.path) if journal.receipt.engine == "tracer" else None
                painted.add(match.path, _without_strays(ran, outline))
            elif match.path and (same := origins.carry(path, digest)):
                old.setdefault(match.path, Old(origins.versions[path, digest])).add(same, ran)
            elif match.path:
                result.unknown[match.path] = match.reason
            elif match.reason != LIBRARY:
                result.unmapped[path] = match.reason
    seen = imported | old.keys()
    held = {match.path for match in origins.held.values() if match.path and match.state == "same"}
    for path, match in origins.held.items():
        if match.state == "drifted" and match.path and match.path not in seen | held | result.unknown.keys():
            if same := origins.carry(path, origins.digest(path)):
                old.setdefault(match.path, Old(origins.versions[path, origins.digest(path)])).add(same, Ran())
            else:
                result.unknown[match.path] = match.reason
    for repository_path, known in old.items():
        painted.add(repository_path, known.ran)
        # Whoever ran the present version as well knows all of it.
        if repository_path not in imported:
            result.carried[repository_path] = known.carried()
    draws = ((path, match) for path, match in origins.held.items() if source_map.is_draw(path))
    result.unmapped |= {path: match.reason for path, match in draws if not match.path and match.reason != LIBRARY}
    if any(version.startswith(painting.OLD) for version in result.python):
        painted.complete_loops(source_map.repository.root)
    result.startup = {path: sorted(lines) for path, lines in sorted(painted.startup.items())}
    named = {path for path, why in result.unknown.items() if why == FOREIGN}
    own = (_own_files(source_map, seen | named) | held | old.keys()) - result.unknown.keys()
    own = {path for path in own if path in seen or not is_test(path)}
    for path, why in not_seen_to_run(origins, own - seen, result.python).items():
        result.unknown[path] = why
    _settle(result, (own - result.unknown.keys()) | seen, seen)
    return result, painted


def _ran(journal: Journal, path: str) -> Ran:
    return Ran(journal.lines.get(path, set()), journal.arcs.get(path, set()), journal.early.get(path, set()))


def _without_strays(ran: Ran, outline: Outline | None) -> Ran:
    strays = outline.strange({*ran.lines, *lines_of(ran.arcs)}) if outline else set()
    if not strays:
        return ran
    arcs = {arc for arc in ran.arcs if strays.isdisjoint(map(abs, arc))}
    return Ran({*ran.lines} - strays, arcs, {*ran.startup} - strays)


def _bear_a_name_only(origins: Origins) -> Iterator[str | tuple[str, Digest | None]]:
    """Yield what ran under a name that is no source's, and each source under whose name other code ran as well."""
    for journal in origins.journals:
        for path, digest in journal.files.items():
            lines = {*journal.lines.get(path, ()), *lines_of(journal.arcs.get(path, ()))}
            stray = min(MOST_STRAY, len(lines) // STRAY_OF) if journal.receipt.engine == "tracer" else 0
            if not origins.is_source(path, digest, lines, stray):
                yield path, digest
                if match := origins.find(path, digest).path:
                    yield match


def _settle(result: ServiceResult, own: set[str], imported: set[str]) -> None:
    """Say of each file whether it counts, and why not."""
    result.no_file_ran = not imported and result.processes.not_measured < result.processes.all
    result.files = sorted(own)
    result.never_imported = sorted(own - imported)
    result.carried = {path: carried for path, carried in sorted(result.carried.items()) if path in own}
    if not imported and (why := result.why_unknown):
        # A service without Python, or that runs none, is nothing to know about, whatever files its image holds.
        result.unknown = dict.fromkeys(own, why) | result.unknown if result.python and not result.other_programs else {}
        result.files, result.never_imported, result.carried = [], [], {}
    result.unknown = dict(sorted(result.unknown.items()))
    result.unmapped = dict(sorted(result.unmapped.items()))


def _own_files(source_map: SourceMap, imported: Collection[str]) -> set[str]:
    """Return the repository files that bind mounts show a service, or that coverage-spy.yml says are its own.

    Where all of the repository is mounted, or the processes run on it, not every file is the service's, only those
    below a directory where imports of what ran begin, that is the first one above the file that is no package.
    """
    files = source_map.repository.files
    own = set()
    for root in source_map.roots:
        if not root.decides:
            continue
        begins = {_import_root(path, files) for path in imported} if root.repository == "." else {root.repository}
        for path in files:
            if any(begin in (".", path) or path.startswith(begin + "/") for begin in begins):
                container = os.path.normpath(f"{root.container}/{os.path.relpath(path, root.repository)}")
                if source_map.find(container, files[path]).path == path:
                    own.add(path)
    return own


def _import_root(path: str, files: Mapping[str, Digest]) -> str:
    directory = PurePosixPath(path).parent
    while str(directory) != "." and f"{directory}/__init__.py" in files:
        directory = directory.parent
    return str(directory)


def _write_coverage(project: Project, combined: Combined, painted: Mapping[str, Painted]) -> None:
    """Write .coverage with repository-relative paths: coverage.py needs `relative_files` to read them."""
    with tempfile.TemporaryDirectory(prefix=".coverage-", dir=project.state) as directory:
        file = Path(directory, "data")
        data = CoverageData(str(file))
        if combined.branch:
            data.add_arcs({})
        else:
            data.add_lines({})
        for name, found in painted.items():
            data.set_context(name)
            if combined.branch:
                data.add_arcs(found.arcs)
            else:
                data.add_lines(found.lines)
                data.add_lines({path: lines_of(arcs) for path, arcs in found.arcs.items()})
        data.touch_files(sorted(combined.files - data.measured_files()))
        data.close()
        file.replace(project.coverage_file)
