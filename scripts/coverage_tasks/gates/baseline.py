"""coverage-baseline.json: what a run executed, kept by the repository, so that no later one falls below it unseen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from ..combined.model import read_combined
from ..errors import TaskError
from ..files import beside, read_json
from ..project import Project
from ..results.lines import Share
from ..results.results import Results, read_results
from ..sources.repository import Repository

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
        """That of a run. Each service's share is of all statements of its files that anybody knows of."""
        files = results.shares()
        known = {name: result for name, result in results.combined.services.items() if not result.why_unknown}
        services = {
            name: {path: share._replace(of=files[path].of) for path, share in results.shares(name).items()}
            for name in sorted(known)
        }
        return cls(results.combined.branch, files, {name: own for name, own in services.items() if own})

    @classmethod
    def read(cls, project: Project) -> Self | None:
        """The repository's; None when it keeps none. Raises TaskError when it cannot be read."""
        try:
            found = read_json(project.baseline, within=project.root)
            if found["version"] != 1:
                raise ValueError
            files = {path: Share(int(line["executed"]), int(line["of"])) for path, line in found["files"].items()}
            services: dict[str, dict[str, Share]] = {name: {} for name in found["services"]}
            for path, line in found["files"].items():
                for name, executed in line["services"].items():
                    services[name][path] = Share(int(executed), files[path].of)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            sentence = f"{project.baseline} cannot be read: check it out again, or write it with coverage-baseline"
            raise TaskError(sentence) from None
        return cls(bool(found["branch"]), files, services)

    def write(self, project: Project) -> None:
        """Write it, a line for each service and file, by name. Raises TaskError when it cannot be written."""
        totals = {name: Share.sum(own.values())._asdict() for name, own in self.services.items()}
        files = {
            path: share._asdict()
            | {"services": {name: own[path].executed for name, own in self.services.items() if path in own}}
            for path, share in self.files.items()
        }
        parts = [
            ' "version": 1',
            f' "branch": {json.dumps(self.branch)}',
            f' "total": {json.dumps(Share.sum(self.files.values())._asdict())}',
            *(_section(key, entries) for key, entries in (("services", totals), ("files", files))),
        ]
        try:
            with beside(project.baseline) as part:
                part.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")
        except OSError as error:
            raise TaskError(f"cannot write {project.baseline} ({error.strerror}): make it writable") from None


def require_present_sources(project: Project) -> None:
    """Raises TaskError when a source has changed since it was combined: no number would be of what lies there now."""
    now = Repository.of_project(project)
    changed = [path for path, digest in read_combined(project).digests.items() if now.digest(path) != digest]
    if changed:
        others = f" and {len(changed) - 1} others" if changed[1:] else ""
        raise TaskError(f"{changed[0]}{others} changed after coverage-combine: run it again")


def write_baseline(project: Project) -> Baseline:
    """Make what was combined the baseline.

    Raises TaskError when it tells nothing of a service that was measured, or its sources have changed since.
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
    """Directory -> the files directly in it, in order."""
    found: dict[str, dict[str, Share]] = {}
    for path in sorted(files):
        found.setdefault(str(PurePosixPath(path).parent), {})[path] = files[path]
    return found


def _section(key: str, entries: Mapping[str, object]) -> str:
    lines = (f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(entries.items()))
    return f' "{key}": {{\n' + ",\n".join(lines) + "\n }"
