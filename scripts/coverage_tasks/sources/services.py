"""One service, and its source map."""

from collections.abc import Mapping
from dataclasses import dataclass

from .images import Image
from .maps import Filesystem, Links, SourceMap
from .repository import Digest, Repository
from .votes import map_sources


@dataclass(frozen=True)
class Service:
    """One service of the compose model.

    `binds` are (container path, repository path) pairs, `sources` those that coverage-spy.yml adds, `volumes` all
    container paths that the image does not fill, `own_variables` those of coverage.py's names that its application has
    anyway, `entrypoint` and `command` those in force, the image's or the service's own; `copied` is what `copied_files`
    finds in its Dockerfile.
    """

    name: str
    image: Image | None
    binds: tuple[tuple[str, str], ...] = ()
    volumes: tuple[str, ...] = ()
    python_path: str = ""
    own_variables: frozenset[str] = frozenset()
    workdir: str = ""
    measured: bool = True
    reason: str = ""
    builds: bool = False
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()
    copied: tuple[tuple[str, str], ...] = ()


def map_service(
    service: Service,
    repository: Repository,
    ran: Mapping[str, Digest] | None = None,
    past: Mapping[Digest, str] | None = None,
) -> SourceMap:
    """Return the source map of a service in a container: `ran` are files its processes loaded, `past` old contents."""
    image = service.image
    files = {**(image.files if image else {}), **(ran or {})}
    links = Links(image.links if image else {})
    system = Filesystem(files, service.binds, service.sources, service.copied, links, past or {})
    return map_sources(system, repository)
