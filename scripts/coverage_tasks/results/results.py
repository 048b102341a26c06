"""Which statements of which files each service executed, and the sums of it that every report shows."""

import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase as fnmatch
from pathlib import PurePosixPath

from ..combined.model import Combined, ServiceResult, read_combined
from ..coverage_settings import Settings, read_settings
from ..errors import TaskError
from ..findings import Finding
from ..project import Project
from ..text import Row, counted, percent
from .coveragepy import Analysed, analyse
from .lines import Function, Lines, Phases, Share
from .newer_python import NewerSource, find_reader


@dataclass(frozen=True)
class Totals:
    """Numbers of a set of files. What is unknown is no part of the others: `unknown` counts files.

    `unknown_statements` are theirs, and those of files that are known in part; what lies in no file of the repository,
    or cannot be parsed, has none. `at_least`: there was a process of which not all is known, which may have executed
    more. `precision` is the number of decimals.
    """

    files: int
    statements: int
    executed: int
    never_imported: int
    unknown: int
    unknown_statements: int = 0
    at_least: bool = False
    branches: int = 0
    taken: int = 0
    precision: int = 0

    @property
    def missed(self) -> int:
        """Statements that were not executed."""
        return self.statements - self.executed

    @property
    def share(self) -> Share:
        """Of statements and branches together."""
        return Share(self.executed + self.taken, self.statements + self.branches)

    @property
    def cover(self) -> str:
        """The share in percent, of what is known."""
        shown = percent(*self.share, self.precision)
        return f"at least {shown}" if self.at_least else shown

    @property
    def unknowns(self) -> str:
        """What is unknown, in words."""
        numbers = ((self.unknown, "file"), (self.unknown_statements, "statement"))
        return ", ".join(counted(number, noun) for number, noun in numbers if number) or "0"


@dataclass(frozen=True)
class Results:
    """What every service of a project executed of every file, out of one pass over them, `analysed`.

    `unparsed` are files that this Python cannot read, with the reason; `unknown` are the statements of the files of
    which nothing is known.
    """

    project: Project
    analysed: Analysed
    combined: Combined
    files: Mapping[str, Lines]
    unparsed: Mapping[str, str]
    unknown: Mapping[str, frozenset[int]]

    @property
    def settings(self) -> Settings:
        """How the files were read."""
        return self.analysed.settings

    @property
    def damage(self) -> list[Finding]:
        """The journals that `combine` could not read, and the sources that could not be parsed."""
        return [*self.combined.damage, *self.cannot_parse()]

    @property
    def findings(self) -> list[Finding]:
        """All that `combine` found, and the sources that could not be parsed."""
        return [*self.combined.findings, *self.cannot_parse()]

    def cannot_parse(self) -> Iterator[Finding]:
        """Yield the sources that could not be parsed."""
        for path, reason in self.unparsed.items():
            yield Finding("", "unparsed", f"{path} is unknown: {reason}", self._reader(path))

    def newer_python(self, path: str) -> tuple[int, ...]:
        """Return the newest Python of the services that have a file; () where it is no newer than this one."""
        services = [result for result in self.combined.services.values() if path in result.files]
        newest = max((_version(python) for result in services for python in result.python), default=())
        return newest if newest > sys.version_info[:2] else ()

    def _reader(self, path: str) -> str:
        """Return what to do about a file that this Python cannot parse: what ran it can, and perhaps what has it."""
        newest = self.newer_python(path)
        leave_out = f"correct it, or leave it out under `omit` in {self.settings.file}"
        if not newest:
            return leave_out
        version = ".".join(map(str, newest))
        report = f"make python{version} available on PATH, the Python of its service, and reports will use it"
        services = (result for result in self.combined.services.values() if path in result.files)
        ran = any(path not in result.never_imported for result in services)
        return report if ran else f"{report}, and if that cannot either, {leave_out}"

    def of_service(self, name: str) -> Totals:
        """Return a service's numbers, of its own files."""
        result = self.combined.services[name]
        return self._totals(name, [*result.files, *result.unknown, *result.unmapped])

    def of_directories(self, name: str) -> dict[str, Totals]:
        """Return a service's numbers by directory, of its own files directly in it, and of what is not mapped."""
        result = self.combined.services[name]
        paths = defaultdict(list)
        for path in (*result.files, *result.unknown, *result.unmapped):
            paths[str(PurePosixPath(path).parent)].append(path)
        return {directory: self._totals(name, paths[directory]) for directory in sorted(paths)}

    def phases(self, name: str) -> Phases:
        """Return when a service first executed its statements, over all files."""
        found = [lines.phases(name) for lines in self.files.values()]
        return Phases(*map(sum, zip(*found, strict=True))) if found else Phases(0, 0, 0)

    @property
    def startup_is_known(self) -> bool:
        """Whether anybody marked where start-up ended; without, everything looks like traffic."""
        return any(result.startup for result in self.combined.services.values())

    def share_of(self, name: str, path: str) -> Share:
        """Return what a service executed of a file of its own."""
        lines = self.files[path]
        executed = len(lines.by_service.get(name, ())) + lines.taken_by_service.get(name, 0)
        statements = self.combined.services[name].statements(path, lines.statements)
        return Share(executed, len(statements) + lines.branches)

    def missed_by(self, name: str, path: str) -> frozenset[int]:
        """Return the statements of a file of its own that a service did not execute."""
        lines = self.files[path]
        statements = self.combined.services[name].statements(path, lines.statements)
        return statements - lines.by_service.get(name, frozenset())

    def only(self, name: str) -> int:
        """Return how many statements this service executed and no other."""
        return sum(len(lines.only(name)) for lines in self.files.values())

    def gaps(self) -> list[tuple[str, Lines]]:
        """Return the files with statements that no service executed, those with most of them first."""
        found = [(path, lines) for path, lines in self.files.items() if lines.missed]
        return sorted(found, key=lambda gap: (-len(gap[1].missed), gap[0]))

    def never_executed(self) -> list[tuple[str, Function]]:
        """Return the functions of which no service executed a statement, the longest first."""
        found = [
            (path, function)
            for path, lines in self.files.items()
            for function in lines.functions
            if function.statements and not function.statements & lines.executed
        ]
        return sorted(found, key=lambda pair: (-len(pair[1].statements), pair[0], pair[1].start))

    def never_imported(self) -> list[str]:
        """Return the files that no service imported."""
        return sorted(self.files.keys() - self.combined.imported)

    def narrowed(self, services: Collection[str], path: str) -> "Results":
        """Return the same of these services only, or of all when there are none; and of files that match a glob."""
        kept = {name: r for name, r in self.combined.services.items() if not services or name in services}
        combined = replace(self.combined, services={name: _narrowed(r, path) for name, r in kept.items()})
        files = {
            file: replace(lines, by_service={name: own for name, own in lines.by_service.items() if name in kept})
            for file, lines in self.files.items()
            if file in combined.files
        }
        if services:
            files = {
                file: replace(lines, executed=frozenset().union(*lines.by_service.values()))
                for file, lines in files.items()
            }
        return Results(
            self.project,
            self.analysed,
            combined,
            files,
            {file: why for file, why in self.unparsed.items() if fnmatch(file, path)},
            {file: self._statements(file) for file in combined.unknown},
        )

    def _statements(self, path: str) -> frozenset[int]:
        """Return all statements of a file, whether anything is known of them or not."""
        return self.files[path].all if path in self.files else self.unknown.get(path, frozenset())

    def shares(self, service: str = "") -> dict[str, Share]:
        """Return what a service executed of each of its own files, or without a service what any executed of all."""
        if not service:
            return {path: lines.share for path, lines in self.files.items()}
        own = self.combined.services[service].files
        return {path: self.share_of(service, path) for path in own if path in self.files}

    def total(self) -> Totals:
        """Return the numbers of the whole repository: what any service executed."""
        services = self.combined.services.values()
        unmapped = sum(len(result.unmapped) for result in services)
        files = self.files.values()
        return Totals(
            files=len(files),
            statements=sum(len(lines.statements) for lines in files),
            executed=sum(len(lines.executed) for lines in files),
            never_imported=len(self.never_imported()),
            unknown=len(self.combined.unknown) + len(self.unparsed) + unmapped,
            unknown_statements=sum(map(len, self.unknown.values())) + sum(len(lines.unknown) for lines in files),
            at_least=any(result.processes.unaccounted for result in services),
            branches=sum(lines.branches for lines in files),
            taken=sum(lines.taken for lines in files),
            precision=self.settings.precision,
        )

    def _totals(self, name: str, paths: Iterable[str]) -> Totals:
        result = self.combined.services[name]
        own, never_imported = set(result.files), set(result.never_imported)
        paths = set(paths)
        known = {path: self.files[path] for path in paths & own if path in self.files}
        return Totals(
            files=len(known),
            statements=sum(len(result.statements(path, lines.statements)) for path, lines in known.items()),
            executed=sum(len(lines.by_service.get(name, ())) for lines in known.values()),
            never_imported=len(known.keys() & never_imported),
            unknown=sum(path in result.unknown or path in result.unmapped or path in self.unparsed for path in paths),
            unknown_statements=sum(len(self._statements(path)) for path in paths & result.unknown.keys())
            + sum(len(lines.all - result.statements(path, lines.all)) for path, lines in known.items()),
            at_least=result.processes.unaccounted,
            branches=sum(lines.branches for lines in known.values()),
            taken=sum(lines.taken_by_service.get(name, 0) for lines in known.values()),
            precision=self.settings.precision,
        )


def _narrowed(result: ServiceResult, path: str) -> ServiceResult:
    def kept(reasons: Mapping[str, str]) -> dict[str, str]:
        return {file: why for file, why in reasons.items() if fnmatch(file, path)}

    return replace(
        result,
        files=[file for file in result.files if fnmatch(file, path)],
        never_imported=[file for file in result.never_imported if fnmatch(file, path)],
        unknown=kept(result.unknown),
        unmapped=kept(result.unmapped),
    )


def _version(python: str) -> tuple[int, ...]:
    """Return (3, 12) of "3.12.1"; nothing of what is no version."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})", python)
    return tuple(map(int, found.groups())) if found else ()


def read_results(project: Project) -> Results:
    """Read and analyse what was combined last.

    Raise TaskError when nothing was, and NewerSource when another Python here can parse more of it.
    """
    return results_of(project, read_combined(project))


def results_of(project: Project, combined: Combined) -> Results:
    """Analyse what was combined, each file once. Raise as `read_results`."""
    if not project.coverage_file.is_file():
        raise TaskError("nothing has been combined yet: run coverage-combine first")
    analysed = analyse(project.root, project.coverage_file, combined, read_settings(project.root))
    results = Results(project, analysed, combined, analysed.files, analysed.unparsed, analysed.unknown)
    wanted = {path: results.newer_python(path) for path in results.unparsed}
    newest = max(wanted.values(), default=())
    if newest and (python := find_reader(newest)):
        raise NewerSource(python, [path for path, version in wanted.items() if version])
    return results


def counts(totals: Totals, branch: bool) -> Row:
    """Return the part of a row that is coverage.py's numbers, with the branches where they were recorded."""
    names = ("files", "statements", "executed", "missed", *(("branches", "taken") if branch else ()))
    return {**{name: str(getattr(totals, name)) for name in names}, "cover": totals.cover}
