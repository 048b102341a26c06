"""Which container path is which path of the repository, as an answer."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..combined.origins import Origins
from ..sources.maps import LIBRARY, Root
from ..text import printable
from .answer import Answer

SAYS = {
    "content": "{} of its files by content",
    "Dockerfile": "its content, and the Dockerfile copies it",
    "setting": "coverage-spy.yml",
    "bind": "a bind mount",
    "host": "the service runs on the repository itself",
}


def of_services(known: Mapping[str, Origins], ran: bool) -> Answer:
    """Return the map of each service; `ran`: of what was started and ran, not of its image as it is."""
    pages = {name: _page(origins) for name, origins in known.items()}

    def lines(_markdown: bool) -> Iterator[str]:
        for number, (name, page) in enumerate(pages.items()):
            if number:
                yield ""
            yield from map(printable, _lines(name, page))

    return Answer(lambda: {"version": 1, "ran": ran, "services": pages}, lines)


def _page(origins: Origins) -> dict[str, Any]:
    """Return what is shown of a service; of image files that are nobody's those beside mapped ones, or that ran."""
    matches = {**origins.held, **origins.ran}
    sources = origins.source_map.sources
    image = origins.service.image
    around = tuple(f"{place.rstrip('/')}/" for place in (*sources, *([image.workdir] if image else ())) if place != "/")
    near = {
        path: match
        for path, match in matches.items()
        if match.state == "unmapped" and match.reason != LIBRARY and (path in origins.ran or path.startswith(around))
    }
    return {
        "image": image.name if image else "",
        "processes": len({journal.receipt.process for journal in origins.journals}),
        "source": sources,
        "roots": [_root_as_json(root) for root in origins.source_map.roots],
        "files": {path: match.path for path, match in sorted(matches.items()) if match.state == "same"},
        "drifted": {
            path: {"path": match.path, "reason": match.reason}
            for path, match in sorted(matches.items())
            if match.state == "drifted"
        },
        "unmapped": {path: match.reason for path, match in sorted(near.items())},
        "elsewhere": sum(match.state == "unmapped" for match in matches.values()) - len(near),
        "ran": sorted(path for path, match in origins.ran.items() if match.state != "unmapped" or path in near),
    }


def _root_as_json(root: Root) -> dict[str, str]:
    return {
        "container": root.container,
        "repository": root.repository,
        "by": root.by,
        "why": SAYS[root.by].format(root.votes),
    }


def _lines(name: str, page: Mapping[str, Any]) -> Iterator[str]:
    image, processes, ran = page["image"], page["processes"], set(page["ran"])
    yield f"{name}: {f'image {image}, ' if image else ''}{processes} process{'es' if processes != 1 else ''}"
    widths = [max((len(root[column]) for root in page["roots"]), default=0) for column in ("container", "repository")]
    for root in page["roots"]:
        yield f"  {root['container']:{widths[0]}}  {root['repository']:{widths[1]}}  {root['why']}"
    if page["source"]:
        yield f"  COVERAGE_SOURCE={':'.join(page['source'])}"
    yield f"  mapped: {len(page['files'])}, of which {len(ran & page['files'].keys())} ran"
    for path, known in page["drifted"].items():
        yield f"  drifted: {path}{' (ran)' * (path in ran)} is {known['path']}: {known['reason']}"
    for path, reason in page["unmapped"].items():
        yield f"  not mapped: {path}{' (ran)' * (path in ran)}: {reason}"
    if page["elsewhere"]:
        yield f"  elsewhere: {page['elsewhere']} that are nobody's here, installed libraries among them"
