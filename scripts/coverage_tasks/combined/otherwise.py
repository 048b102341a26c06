"""What may have run in a form that nobody could see: what tells nothing of a source is not that it never ran."""

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from ..recorded.scopes import Scope
from ..sources.images import is_imported
from .origins import Origins

NOT_RECORDED = "it was not recorded where it lies: run again, and COVERAGE_SOURCE will name that place"
OMITTED = "COVERAGE_OMIT kept it from being recorded"
COMPILED = "Python imports its compiled form, an extension module beside it, and that records nothing"
PACKED = "a copy ran that lies in an archive or was compiled elsewhere, and whose source could not be read there"


def not_seen_to_run(origins: Origins, unseen: Collection[str], versions: Iterable[str]) -> Mapping[str, str]:
    """Those of the files which no process loaded that may have run all the same, with the reason."""
    tags = [f"cpython-{''.join(version.split('.')[:2])}" for version in versions]
    found = {
        **dict(_not_recorded(origins, unseen)),
        **dict.fromkeys(_packed(origins, unseen), PACKED),
        **dict.fromkeys(_compiled(origins, unseen, tags), COMPILED),
    }
    return {path: why for path, why in found.items() if path in unseen}


def _not_recorded(origins: Origins, unseen: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the files that some process would not have recorded, whatever ran of them."""
    receipts = [journal.receipt for journal in origins.journals if journal.receipt.engine != "none"]
    scopes = {Scope.of(receipt.settings) for receipt in receipts}
    if not scopes:
        return
    places = _places(origins, unseen)
    resolve = origins.source_map.links.resolve
    for path, there in places.items():
        for scope in scopes:
            if not scope or not any(scope.records(place, resolve) for place in there):
                yield path, OMITTED if scope and all(map(scope.omits, there)) else NOT_RECORDED
                break


def _places(origins: Origins, paths: Collection[str]) -> Mapping[str, set[str]]:
    """Path of the repository -> where the file lies in the container, without links."""
    places: dict[str, set[str]] = defaultdict(set)
    for place, match in origins.held.items():
        if match.path and match.path in paths:
            places[match.path].add(origins.source_map.links.resolve(place))
    for root in origins.source_map.roots:
        for path in paths if root.decides else ():
            if root.repository in (".", path) or path.startswith(f"{root.repository}/"):
                places[path].add(os.path.normpath(f"{root.container}/{os.path.relpath(path, root.repository)}"))
    return places


def _compiled(origins: Origins, unseen: Collection[str], tags: Collection[str]) -> Iterator[str]:
    image, source_map = origins.service.image, origins.source_map
    for place in image.compiled if image else ():
        held = origins.held.get(place)
        if held and held.path:
            yield held.path
    if any(root.binds for root in source_map.roots):
        listed: dict[Path, list[str]] = {}
        for path in unseen:
            source = source_map.repository.root / path
            if source.parent not in listed:
                listed[source.parent] = [module.name for module in source.parent.glob("*.so")]
            stem = f"{source.stem}."
            beside = (name.removeprefix(stem) for name in listed[source.parent] if name.startswith(stem))
            if any(is_imported(suffix, tags) for suffix in beside):
                yield path


def _packed(origins: Origins, unseen: Collection[str]) -> set[str]:
    """Those that have the name of a source that ran and could not be read, as far as that lies in packages."""
    read_nowhere = {path for journal in origins.journals for path, digest in journal.files.items() if not digest}
    tails = {tail for path in read_nowhere if not origins.find(path, None).path and (tail := _tail(path))}
    return {path for path in unseen if any(path == tail or path.endswith(f"/{tail}") for tail in tails)}


def _tail(path: str) -> str:
    """Return what follows the archive that a path leads into; elsewhere a source's name with that of its directory."""
    parts = PurePosixPath(path).parts
    archives = [index for index, part in enumerate(parts[:-1]) if "." in part.lstrip(".")]
    return "/".join(parts[archives[-1] + 1 :] if archives else parts[-2:]) if path.endswith(".py") else ""
