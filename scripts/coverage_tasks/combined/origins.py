"""Where the files of each service come from: its source map and git's history, for what its image holds and it ran."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath

from ..configuration import Configuration, read_configuration
from ..errors import TaskError
from ..files import file_name, read_file
from ..project import Project
from ..recorded.images import load_image
from ..recorded.journals import Journal
from ..recorded.stack import ServiceRecord, Stack, read_stack
from ..sources.history import History, Version
from ..sources.maps import DRIFTED, LIBRARY, Match, SourceMap
from ..sources.repository import Digest, Repository, is_called_python
from ..sources.services import Service, map_service
from ..sources.statements import Outline, same_statements

UNNAMED = "unnamed"
NOT_RECORDED = ServiceRecord()
UNSHALLOW = "this clone is shallow: `git fetch --unshallow` may bring the version that ran"


@dataclass(frozen=True)
class Origins:
    """One service: its record in the stack's, the journals of its processes, and its source map.

    `versions`: (container path, digest) -> the old version that a file is. `shallow`: git lacks older ones.
    """

    service: Service
    source_map: SourceMap
    journals: tuple[Journal, ...] = ()
    record: ServiceRecord = NOT_RECORDED
    versions: Mapping[tuple[str, Digest | None], Version] = field(default_factory=dict)
    shallow: bool = False

    @cached_property
    def held(self) -> Mapping[str, Match]:
        """What the files of its image are, without those that a bind mount hides."""
        files = self.service.image.files.items() if self.service.image else ()
        return {path: self.find(path, digest) for path, digest in files if not self.source_map.binds(path)}

    @cached_property
    def ran(self) -> Mapping[str, Match]:
        """What the files are that its processes loaded, by their names without links.

        One that was another file for some of them is what it was when it had drifted.
        """
        matches: dict[str, Match] = {}
        for journal in self.journals:
            for path, digest in journal.files.items():
                name, match = self.source_map.links.resolve(path), self.find(path, digest)
                if matches.setdefault(name, match).state == "same":
                    matches[name] = match
        return matches

    def find(self, path: str, digest: Digest | None) -> Match:
        """Find a match as SourceMap does, with old versions known, and remember it."""
        key = path, digest
        if key not in self._found:
            match, version = self.source_map.find(path, digest), self.versions.get(key)
            if version:
                match = Match(version.now, "drifted", f"it is as of commit {version.commit[:10]}: rebuild the image")
            elif self.shallow and match.reason == DRIFTED:
                match = match._replace(reason=f"{DRIFTED}; {UNSHALLOW}")
            self._found[key] = match
        return self._found[key]

    def digest(self, path: str) -> Digest | None:
        """Return what the image has at a path."""
        return self.service.image.files.get(path) if self.service.image else None

    def is_source(self, path: str, digest: Digest | None, lines: Collection[int], stray: int = 0) -> bool:
        """Whether what ran under a name is the file that `find` takes it for, and not code that only bears its name.

        What has another name than a Python source has to be one, and to have run lines of it. So many lines may be
        `stray` ones, of other files.
        """
        match = self.find(path, digest)
        if not match.path:
            return is_called_python(path) or bool(digest and digest in self.source_map.repository.known)
        version = self.versions.get((path, digest))
        if match.state != "same" and not version:
            return True  # nothing is known of it anyway
        outline = self._old(version) if version else self.source_map.repository.outline(match.path)
        if match.path in self.source_map.repository.files:
            return outline is None or len(outline.strange(lines)) <= stray
        return outline is not None and bool(lines) and outline.parses and outline.fits(lines)

    def _old(self, version: Version) -> Outline | None:
        """Of an old version; None when git no longer has it."""
        if version not in self._olds:
            source = History(self.source_map.repository.root).read(version)
            self._olds[version] = Outline(lambda: source) if source else None
        return self._olds[version]

    def carry(self, path: str, digest: Digest | None) -> Mapping[int, int]:
        """Return old line -> line of today, as `carry` finds them; nothing without a version, or alike."""
        key = path, digest
        if key not in self._carried:
            version, repository = self.versions.get(key), self.source_map.repository
            self._carried[key] = {}
            if version and version.now and (old := self._old(version)):
                self._carried[key] = same_statements(old.read(), read_file(repository.root / version.now))
        return self._carried[key]

    def stale(self) -> Iterator[tuple[str, Digest]]:
        """Yield files, with their digests, that may be old versions of the service's own code, and are not as now."""
        image = self.service.image
        held = image.files.items() if image else ()
        workdir = (image.workdir if image else "/").rstrip("/") + "/"
        ran = {(path, digest) for journal in self.journals for path, digest in journal.files.items()}
        for path, digest in {*held, *ran}:
            if digest and not ((path, digest) not in ran and self.source_map.binds(path)):
                match = self.find(path, digest)
                if match.state == "same" or match.reason == LIBRARY:
                    continue
                near = (path, digest) in ran or (workdir != "/" and path.startswith(workdir))
                if near or next(self.source_map.candidates(path), None):
                    yield path, digest

    @cached_property
    def _found(self) -> dict[tuple[str, Digest | None], Match]:
        return {}

    @cached_property
    def _olds(self) -> dict[Version, Outline | None]:
        return {}

    @cached_property
    def _carried(self) -> dict[tuple[str, Digest | None], Mapping[int, int]]:
        return {}


def of_run(project: Project, journals: Iterable[Journal], repository: Repository) -> dict[str, Origins]:
    """Return the services of the last run, by name: those that were started, and those that journals name.

    What coverage-spy.yml says counts as it is now: it is written when a report has shown what is unmapped. Raise
    TaskError when it names a service that there is not.
    """
    stack = recorded_stack(project)
    by_service: dict[str, list[Journal]] = {name: [] for name in stack.services}
    names = {file_name(name): name for name in by_service}
    for journal in journals:
        by_service.setdefault(_service_of(journal, project, names), []).append(journal)
    configuration = read_configuration(project.root)
    configuration.require_services(by_service, project)
    found = {}
    for name, own in sorted(by_service.items()):
        record = stack.services.get(name, NOT_RECORDED)
        service = service_of(project, name, record, configuration)
        found[name] = of_service(service, stack.on_host, own, repository, record)
    return with_versions(found, repository)


def recorded_stack(project: Project) -> Stack:
    """Return the record of the stack. Without one, or with a damaged one, the journals name the services."""
    try:
        stack = read_stack(project.state)
    except TaskError:
        stack = None
    return stack or Stack(project.runtime, "", on_host=project.runtime == "procfile", run="")


def service_of(project: Project, name: str, record: ServiceRecord, configuration: Configuration) -> Service:
    """Return a service as the record of the run and coverage-spy.yml describe it."""
    return Service(
        name,
        load_image(project.state, record.content) if record.content else None,
        binds=record.binds,
        sources=configuration.sources.get(name, ()),
        copied=record.copied,
        measured=record.measured,
        reason=record.reason,
    )


def of_service(
    service: Service,
    on_host: bool,
    journals: Collection[Journal],
    repository: Repository,
    record: ServiceRecord = NOT_RECORDED,
) -> Origins:
    """Return the origins of one service, without old versions. `on_host`: its paths are the repository's."""
    if on_host:
        source_map = SourceMap.identity(repository, service.sources)
    else:
        source_map = map_service(service, repository, _ran(journals))
    return Origins(service, source_map, tuple(journals), record)


def _ran(journals: Iterable[Journal]) -> dict[str, Digest]:
    return {path: digest for journal in journals for path, digest in journal.files.items() if digest}


def with_versions(services: Mapping[str, Origins], repository: Repository) -> dict[str, Origins]:
    """Return the services with the old versions that git knows of what is not as now; ask nothing without need."""
    stale = {name: sorted(origins.stale()) for name, origins in services.items()}
    wanted: dict[str, set[Digest]] = defaultdict(set)
    for name, files in stale.items():
        for path, digest in files:
            for known in (path, *services[name].source_map.candidates(path)):
                wanted[PurePosixPath(known).name].add(digest)
    if not wanted:
        return dict(services)
    history = History(repository.root)
    versions, shallow = history.find(wanted), history.shallow
    return {
        name: replace(_with_own_versions(origins, stale[name], versions, repository), shallow=shallow)
        for name, origins in services.items()
    }


def _with_own_versions(
    origins: Origins,
    stale: Collection[tuple[str, Digest]],
    versions: Mapping[Digest, Collection[Version]],
    repository: Repository,
) -> Origins:
    source_map = origins.source_map
    past: dict[Digest, str] = {}
    for _, digest in stale:
        now = {version.now or "" for version in versions.get(digest, ())}
        if len(now) == 1 and now <= repository.files.keys() and digest not in repository.known:
            past[digest] = now.pop()
    if past and not any(root.by == "host" for root in source_map.roots):
        source_map = map_service(origins.service, repository, _ran(origins.journals), past)
    own: dict[tuple[str, Digest | None], Version] = {}
    for path, digest in stale:
        if source_map.find(path, digest).state != "same":
            version = _version_of(source_map.candidates(path), versions.get(digest, ()), repository)
            if version:
                own[path, digest] = version
    return replace(origins, source_map=source_map, versions=own)


def _version_of(candidates: Iterable[str], versions: Collection[Version], repository: Repository) -> Version | None:
    """Return the version of the file that should lie in the place, under its name then or now."""
    for candidate in candidates:
        for version in versions:
            if candidate in (version.path, version.now) and version.now in repository.files:
                return version
    return None


def _service_of(journal: Journal, project: Project, names: Mapping[str, str]) -> str:
    """Return whose a journal is: of the service that alone can write where it lies, whatever its receipt says."""
    directory = journal.path.parent
    # A name that is no text would not go into the database.
    name = names.get(directory.name, directory.name).encode("utf-8", "replace").decode()
    return UNNAMED if directory == project.journals else name
