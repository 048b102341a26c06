"""What may have run in a form that nobody could see: what tells nothing of a source is not that it never ran."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from ..sources.images import is_imported
from .origins import Origins

COMPILED = "Python imports its compiled form, an extension module beside it, and that records nothing"
PACKED = "a copy ran that lies in an archive or was compiled elsewhere, and whose source could not be read there"


def not_seen_to_run(origins: Origins, unseen: Collection[str], versions: Iterable[str]) -> Mapping[str, str]:
    """Those of the files which no process loaded that may have run all the same, with the reason."""
    compiled = _compiled(origins, unseen, [f"cpython-{''.join(version.split('.')[:2])}" for version in versions])
    found = dict.fromkeys(_packed(origins, unseen), PACKED) | dict.fromkeys(compiled, COMPILED)
    return {path: why for path, why in found.items() if path in unseen}


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
    """What follows the archive that a path leads into; elsewhere a source's name with that of its directory."""
    parts = PurePosixPath(path).parts
    archives = [index for index, part in enumerate(parts[:-1]) if "." in part.lstrip(".")]
    return "/".join(parts[archives[-1] + 1 :] if archives else parts[-2:]) if path.endswith(".py") else ""
