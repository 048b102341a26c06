"""What `combine` found out, service by service."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import TaskError
from ..findings import DAMAGE, Finding
from ..project import Project
from ..recorded.processes import Processes
from ..recorded.stack import read_stack
from ..records import RecordError, read_record, write_record
from ..sources.maps import Root
from ..sources.repository import Digest, is_repository_path

FILE = "combined.json"
VERSION = 5
LARGEST = 256 << 20  # bytes: 80,000 files of 8 services
SIZES = 1 << 32  # what a journal has room for, as in its digests


@dataclass
class Carried:
    """A file of which an old version ran, or lies in the image unused, and what that tells of the file as it is now.

    `lines` executed ones are shown on the same statements of today, `lost` ones are no statement any more. `known` are
    today's lines that can be said anything about, executed or not; the others have changed since.
    """

    commit: str
    blob: str
    path: str
    lines: int
    lost: int
    known: list[int]


@dataclass
class ServiceResult:
    """What is known of one service.

    `files` are the repository files that count as its own, `never_imported` those of them that no process loaded.
    `unknown` are files of its own of which nothing can be said, `unmapped` container files that ran and are no file of
    the repository, each with the reason. `carried` are those of `files` that are known in part, by an old version.
    `startup` are the lines, by repository file, that some process of it executed before the stack was ready. `claims`
    count its processes that say they are of another service. `no_file_ran`: processes of it were measured, and no file
    of the repository is known to have run there, whatever `omit` leaves of the files. `never_started`: nothing of it
    was; `other_programs` are what ran instead where no Python was ever seen.
    """

    measured: bool = True
    reason: str = ""
    python: list[str] = field(default_factory=list)
    processes: Processes = field(default_factory=Processes)
    roots: list[Root] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    never_imported: list[str] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, str] = field(default_factory=dict)
    carried: dict[str, Carried] = field(default_factory=dict)
    startup: dict[str, list[int]] = field(default_factory=dict)
    fallback: bool = False
    claims: dict[str, int] = field(default_factory=dict)
    never_started: bool = False
    other_programs: list[str] = field(default_factory=list)
    no_file_ran: bool = False

    def statements(self, path: str, statements: frozenset[int]) -> frozenset[int]:
        """Return those of a file's statements that the service can say anything about."""
        return statements.intersection(self.carried[path].known) if path in self.carried else statements

    @property
    def silent(self) -> bool:
        """Whether it should have been measured and sent nothing."""
        return self.measured and not self.processes.all and not self.other_programs

    @property
    def why_unknown(self) -> str:
        """Why nothing is known of the service as a whole; empty when something is."""
        if not self.measured:
            return f"its service is not measured: {self.reason}"
        if self.never_started:
            return "its service was never started"
        if self.other_programs:
            return "its service ran no Python"
        if self.silent:
            return "its service sent nothing"
        if self.processes.not_measured == self.processes.all:
            return "no process of its service could be measured"
        if self.no_file_ran:
            return "nothing that its service ran is known to be of the repository"
        return ""


@dataclass
class Combined:
    """What `combine` found out, service by service; kept in combined.json.

    `findings` are what somebody should look at, damage first, which `damaged` journals have. `digests` are those of the
    files as they were then, `commit` is what was checked out ("" without git), `run` is Stack.run, and `started` when
    the last process did, in seconds since the epoch; it comes last, where runs.store finds it without reading all.
    """

    services: dict[str, ServiceResult]
    branch: bool = False
    findings: list[Finding] = field(default_factory=list)
    digests: dict[str, Digest] = field(default_factory=dict)
    damaged: int = 0
    commit: str = ""
    run: str = ""
    started: float = 0.0

    @property
    def damage(self) -> list[Finding]:
        """What could not be read."""
        return [finding for finding in self.findings if finding.kind in DAMAGE]

    @property
    def empty(self) -> bool:
        """Return whether services should have been measured, and none of them sent anything."""
        measured = [result for result in self.services.values() if result.measured]
        return bool(measured) and not any(result.processes.all for result in measured)

    @property
    def named(self) -> set[str]:
        """Every repository file that it says something about."""
        named = set(self.digests)
        for result in self.services.values():
            named.update(result.files, result.never_imported, result.unknown, result.carried, result.startup)
        return named

    @property
    def files(self) -> set[str]:
        """Every repository file that counts for some service."""
        return {path for result in self.services.values() for path in result.files}

    @property
    def owners(self) -> Mapping[str, list[str]]:
        """Repository file -> the services that it counts for; no service for any other file."""
        owners = defaultdict(list)
        for name, result in self.services.items():
            for path in result.files:
                owners[path].append(name)
        return owners

    @property
    def imported(self) -> set[str]:
        """The repository files that some service imported."""
        return {path for result in self.services.values() for path in {*result.files} - {*result.never_imported}}

    @property
    def unknown(self) -> dict[str, str]:
        """Repository files that some service should tell of and none can, with the reason."""
        known = self.files
        unknown = ((p, why) for result in self.services.values() for p, why in result.unknown.items())
        return {path: why for path, why in sorted(unknown) if path not in known}

    def known_lines(self, path: str) -> set[int] | None:
        """Return the lines of a file that some service can say anything about; None when that is all of them."""
        known: set[int] = set()
        for result in self.services.values():
            if path in result.carried:
                known.update(result.carried[path].known)
            elif path in result.files:
                return None
        return known or None


def read_record_of(file: Path) -> Combined:
    """Return what a file keeps.

    Raise FileNotFoundError, RecordError when it is damaged, another's or impossible, and TaskError as `read_file` does.
    """
    combined = read_record(file, Combined, VERSION, LARGEST)
    for path in combined.named:
        if not is_repository_path(path):
            raise RecordError(f"it names {path!r:.200}, and no file of a repository is called that")
    for path, digest in combined.digests.items():
        if not (0 <= digest.size < SIZES and 0 <= digest.crc < SIZES):
            raise RecordError(f"it has an impossible digest of {path}")
    return combined


def read_combined(project: Project) -> Combined:
    """Return what the last `combine` wrote. Raise TaskError when there was none since the services were started."""
    file = project.state / FILE
    try:
        combined = read_record_of(file)
    except (OSError, ValueError):
        raise TaskError("nothing has been combined yet: run coverage-combine first") from None
    stack = read_stack(project.state)
    if stack and stack.run != combined.run:  # a time would be that of a clock, which is set
        raise TaskError("nothing has been combined since the services were started: run coverage-combine first")
    return combined


def write_combined(project: Project, combined: Combined) -> None:
    """Keep it. Raise OSError when that is impossible."""
    write_record(project.state / FILE, combined, VERSION)
