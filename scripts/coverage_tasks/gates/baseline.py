"""coverage-baseline.json: what a run executed, kept by the repository, so that no later one falls below it unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from ..combined.model import read_combined
from ..errors import TaskError
from ..project import Project
from ..records import RecordError, read_record, write_record
from ..results.lines import Share
from ..results.results import Results, read_results
from ..sources.repository import Repository, is_repository_path

VERSION = 1

Shares = Mapping[str, Share]  # by file


@dataclass(frozen=True)
class Baseline:
    """What was executed of each file, by all services and by each one that something is known of.

    `branch` says whether branches are counted besides statements.
    """

    branch: bool
    files: Shares
    services: Mapping[str, Shares]

    @classmethod
    def of(cls, results: Results) -> Self:
        """Return that of a run. Each service's share is of all statements of its files that anybody knows of."""
        files = results.shares()
        known = {name: result for name, result in results.combined.services.items() if not result.why_unknown}
        services = {
            name: {path: share._replace(of=files[path].of) for path, share in results.shares(name).items()}
            for name in sorted(known)
        }
        return cls(results.combined.branch, files, {name: own for name, own in services.items() if own})

    @classmethod
    def read(cls, project: Project) -> Self | None:
        """Return the repository's; None when it keeps none. Raise TaskError when it cannot be read."""
        try:
            kept = read_record(project.baseline, _Kept, VERSION, within=project.root)
            return cls(kept.branch, *kept.shares())
        except FileNotFoundError:
            return None
        except RecordError as error:
            raise TaskError(
                f"{project.baseline} cannot be read ({error}): check it out again, or write it with coverage-baseline"
            ) from None

    def write(self, project: Project) -> None:
        """Write it, a line for each service and file, by name. Raise TaskError when it cannot be written."""
        try:
            write_record(project.baseline, _Kept.of(self), VERSION, for_people=True)
        except OSError as error:
            raise TaskError(f"cannot write {project.baseline} ({error.strerror}): make it writable") from None


@dataclass(frozen=True)
class _Total:
    executed: int
    of: int


@dataclass(frozen=True)
class _File:
    """A file; what each of its `services` executed is of as many."""

    executed: int
    of: int
    services: dict[str, int]


@dataclass(frozen=True)
class _Kept:
    """A baseline as it is written. The sums are for who reads the file: they follow from the rest."""

    branch: bool
    total: _Total
    services: dict[str, _Total]
    files: dict[str, _File]

    @classmethod
    def of(cls, baseline: Baseline) -> Self:
        """Return a baseline's, in order."""
        services = sorted(baseline.services.items())
        return cls(
            baseline.branch,
            _Total(*Share.sum(baseline.files.values())),
            {name: _Total(*Share.sum(own.values())) for name, own in services},
            {
                path: _File(*share, {name: own[path].executed for name, own in services if path in own})
                for path, share in sorted(baseline.files.items())
            },
        )

    def shares(self) -> tuple[Shares, Mapping[str, Shares]]:
        """Return those of the files, and of those of each service. Raise RecordError for what nothing here writes."""
        services: dict[str, dict[str, Share]] = {name: {} for name in self.services}
        for path, file in self.files.items():
            if not is_repository_path(path):
                raise RecordError(f"it names {path!r:.200}, and no file of a repository is called that")
            if not all(0 <= executed <= file.of for executed in (file.executed, *file.services.values())):
                raise RecordError(f"it has impossible numbers of {path}")
            for name, executed in file.services.items():
                if name not in services:
                    raise RecordError(f"{path} is of {name!r:.80}, which is none of its services")
                services[name][path] = Share(executed, file.of)
        return {path: Share(file.executed, file.of) for path, file in self.files.items()}, services


def require_present_sources(project: Project) -> None:
    """Raise TaskError when a source has changed since it was combined: no number would be of what lies there now."""
    now = Repository.of_project(project)
    changed = [path for path, digest in read_combined(project).digests.items() if now.digest(path) != digest]
    if changed:
        others = f" and {len(changed) - 1} others" if changed[1:] else ""
        raise TaskError(f"{changed[0]}{others} changed after coverage-combine: run it again")


def write_baseline(project: Project) -> Baseline:
    """Make what was combined the baseline.

    Raise TaskError when it tells nothing of a service that was measured, or its sources have changed since.
    """
    require_present_sources(project)
    results = read_results(project)
    for name, result in results.combined.services.items():
        if result.measured and result.why_unknown:
            raise TaskError(
                f"nothing is known of {name} ({result.why_unknown}), and without it the baseline would let anything "
                "pass: repair that first, see coverage-doctor"
            )
    baseline = Baseline.of(results)
    baseline.write(project)
    return baseline


def by_directory(files: Shares) -> dict[str, dict[str, Share]]:
    """Return directory -> the files directly in it, in order."""
    found: dict[str, dict[str, Share]] = {}
    for path in sorted(files):
        found.setdefault(str(PurePosixPath(path).parent), {})[path] = files[path]
    return found
