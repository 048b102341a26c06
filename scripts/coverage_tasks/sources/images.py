"""What an image says and holds, as far as measuring asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from coverage_spy import OLDEST

from .repository import Digest

OLDEST_PYTHON = ".".join(map(str, OLDEST))


@dataclass(frozen=True)
class Interpreter:
    """A CPython of an image; `suffix` is its EXTENSION_SUFFIXES[0], which names version, platform and libc."""

    path: str
    version: str
    suffix: str
    libc: str = "glibc"

    @property
    def measurable(self) -> bool:
        """Whether the spy has an engine for it."""
        return tuple(map(int, self.version.split("."))) >= OLDEST


@dataclass(frozen=True)
class Image:
    """What an image says and holds: `files` are its *.py outside the standard library.

    `content` stands for all of it, whatever the image is called; `ids` are what the engine calls the build that was
    looked at, and change with every build where its image store is containerd's. `platform` is what the service asks
    for, "" for the engine's own.
    `sites` are the directories in which its interpreters, and the virtual environments of these, look for *.pth,
    `customizations` every sitecustomize and usercustomize wherever it lies, `coverage` the version of coverage.py that
    is installed, `shebangs` the first lines of executable scripts that name python or env: path -> line. `links` are
    the symbolic links that lead to `files` or above them: path -> path without a link in it. `written` are results of
    coverage-spy and environments of its sessions that a build took in. `compiled` are those of `files` that its
    interpreters do not import, since an extension module of the same name lies beside them.
    """

    content: str
    name: str
    environment: Mapping[str, str]
    workdir: str
    user: str
    interpreters: tuple[Interpreter, ...]
    files: Mapping[str, Digest]
    sites: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    stop_signal: str = ""
    customizations: tuple[str, ...] = ()
    coverage: str = ""
    shebangs: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    platform: str = ""
    ids: tuple[str, ...] = ()


def is_imported(suffix: str, tags: Collection[str]) -> bool:
    """Whether a Python of one of the tags, such as cpython-311, imports what has this suffix, before any source."""
    return suffix in ("so", "abi3.so") or any(suffix.startswith(f"{tag}-") for tag in tags)
