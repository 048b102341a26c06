"""Where the files of each service come from: its source map applied to what its image holds and what it ran."""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from . import compose
from .configuration import Configuration, read_configuration
from .journals import Journal
from .procfile import read_processes
from .project import Project
from .services import Service, find_services, load_image, map_service
from .sources import Digest, Match, Repository, SourceMap

UNNAMED = "unnamed"


@dataclass(frozen=True)
class Origins:
    """One service: its entry in stack.json, the journals of its processes, and its source map."""

    service: Service
    source_map: SourceMap
    journals: tuple[Journal, ...] = ()
    entry: Mapping[str, Any] = field(default_factory=dict)

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
        """As SourceMap.find, remembered."""
        key = path, digest
        if key not in self._found:
            self._found[key] = self.source_map.find(path, digest)
        return self._found[key]

    @cached_property
    def _found(self) -> dict[tuple[str, Digest | None], Match]:
        return {}


def read_stack(project: Project) -> dict[str, Any]:
    """What stack.json says; without one, or with a damaged one, nothing but the runtime."""
    try:
        stack: dict[str, Any] = json.loads(project.stack_file.read_text())
        if isinstance(stack["services"], dict) and stack["runtime"]:
            return stack
    except (OSError, ValueError, KeyError, TypeError):
        pass  # the journals name their services too
    return {"runtime": project.runtime, "services": {}}


def of_run(project: Project, journals: Iterable[Journal], repository: Repository) -> dict[str, Origins]:
    """The services of the last run, by name: those that were started, and those that journals name.

    What coverage-spy.yml says counts as it is now: it is written when a report has shown what is unmapped. Raises
    TaskError when it names a service that there is not.
    """
    stack = read_stack(project)
    by_service: dict[str, list[Journal]] = {name: [] for name in stack["services"]}
    for journal in journals:
        by_service.setdefault(_service_name(journal), []).append(journal)
    configuration = read_configuration(project.root)
    configuration.require_services(by_service, project)
    return {
        name: _of_service(
            _service(project, name, stack["services"].get(name, {}), configuration),
            stack["runtime"],
            own,
            repository,
            stack["services"].get(name, {}),
        )
        for name, own in sorted(by_service.items())
    }


def of_images(project: Project, repository: Repository) -> dict[str, Origins]:
    """The services as they would start now; images are built or pulled where they are missing.

    Raises TaskError when an image cannot be had, or no engine answers.
    """
    if project.runtime == "procfile":
        configuration = read_configuration(project.root)
        names = [process.name for process in read_processes(project, os.environ)]
        services = [_service(project, name, {}, configuration) for name in names]
    else:
        compose.require_engine()
        services = find_services(project, compose.read_model(project))
    return {service.name: _of_service(service, project.runtime, (), repository) for service in services}


def _service(project: Project, name: str, entry: Mapping[str, Any], configuration: Configuration) -> Service:
    return Service(
        name,
        load_image(project.data, entry["image_id"]) if entry.get("image_id") else None,
        binds=tuple((place, path) for place, path in entry.get("binds", ())),
        sources=configuration.sources.get(name, ()),
        copied=tuple((path, target) for path, target in entry.get("copied", ())),
        measured=bool(entry.get("measured", True)),
        reason=str(entry.get("reason", "")),
    )


def _of_service(
    service: Service,
    runtime: str,
    journals: Collection[Journal],
    repository: Repository,
    entry: Mapping[str, Any] | None = None,
) -> Origins:
    if runtime == "procfile":
        source_map = SourceMap.identity(repository, service.sources)
    else:
        ran = {path: digest for journal in journals for path, digest in journal.files.items() if digest}
        source_map = map_service(service, repository, ran)
    return Origins(service, source_map, tuple(journals), entry or {})


def _service_name(journal: Journal) -> str:
    # Anybody may have set it: a half of a surrogate pair would not go into the database.
    return journal.receipt.service.encode("utf-8", "replace").decode() or UNNAMED
