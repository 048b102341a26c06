"""The mounts: how the spy and a place for its data get into containers, from this host's directories or in volumes.

An engine elsewhere (another machine, docker in docker) sees none of these directories, and one in a virtual machine
sees them through a file system that is not made for memory maps. There the spy is copied into a volume before the
containers start, and the journals out of others. Each service has a directory or a volume of its own to write to, and
sees nothing else of ours but the spy.
"""

import io
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, Literal

from ...errors import TaskError
from ...files import beside, file_name
from ...progress import say
from ...project import Project
from ...recorded.journals import LARGEST
from ...sources.services import Service
from . import engine

Kind = Literal["bind", "relabelled", "volume"]
CHOICES = ("auto", "bind", "volume")
SPY_VOLUME = "coverage-spy"

# What engines say when they refuse to mount what they do not find: docker, podman, Docker Desktop.
_UNSEEN = re.compile(
    r"bind source path does not exist|statfs .*: (no such file|permission denied)|is not shared from the host|"
    r"(stat|making volume mountpoint) .*: permission denied"
)
# Where a shared memory map is refused, or what is written there may be lost or not be seen from the other side: network
# file systems, and what Docker Desktop, Colima and other virtual machines share directories by.
_UNSAFE = re.compile(r"9p|virtiofs|nfs4?|cifs|smb3|vboxsf|prl_fs|fakeowner|grpcfuse|osxfs|fuse(\..*)?")
_JOURNAL = re.compile(r"[0-9a-f]{16}\.journal")


def choose(project: Project, services: Iterable[Service], environ: Mapping[str, str]) -> Kind:
    """Return what this engine can do for `services`; COVERAGE_SPY_MOUNT decides otherwise."""
    wanted = environ.get("COVERAGE_SPY_MOUNT") or "auto"
    if wanted not in CHOICES:
        raise TaskError(f"COVERAGE_SPY_MOUNT is {wanted!r}: set it to auto, bind or volume")
    if wanted == "auto" and not is_seen(project.journals):
        say(f"the engine does not see {project.state}: the spy and its data travel in volumes")
        wanted = "volume"
    if wanted == "auto" and _UNSAFE.fullmatch(shared := file_system(project.journals, services)):
        say(
            f"containers see {project.state} by way of {shared}, which may lose what is written into a memory map: "
            "the spy and its data travel in volumes"
        )
        wanted = "volume"
    if wanted == "volume":
        return "volume"
    return "relabelled" if engine.has_selinux() else "bind"


def is_seen(data: Path) -> bool:
    """Return whether a container of this engine sees the data directory. Nothing is started to find out."""
    mark = data / f".seen-{token_hex(8)}"
    mark.touch()
    try:
        with engine.empty_container("--mount", f"type=bind,source={data},target=/seen") as container:
            return any(engine.files_in(container, f"/seen/{mark.name}"))
    except TaskError as error:
        if _UNSEEN.search(str(error)):
            return False
        raise
    finally:
        mark.unlink()


def file_system(data: Path, services: Iterable[Service]) -> str:
    """Return the type of the file system that a directory has inside a container; "" when it cannot be told.

    It is that of the host where the engine is. Elsewhere a Python of the first service that has one tells it: a virtual
    machine between engine and host is seen only there.
    """
    if engine.is_here():
        return _type_at(str(data), Path("/proc/self/mountinfo").read_text())
    pythons = (
        (service.image, interpreter)
        for service in services
        if service.measured and service.image
        for interpreter in service.image.interpreters
        if interpreter.measurable
    )
    for image, interpreter in pythons:
        options = ("--network", "none", "--mount", f"type=bind,source={data},target=/coverage,readonly")
        command = ("-I", "-S", "-c", "print(open('/proc/self/mountinfo').read())")
        try:
            with engine.made(
                image.ids[0], *options, platform=image.platform, entrypoint=interpreter.path, command=command
            ) as container:
                return _type_at("/coverage", engine.docker("start", "--attach", container))
        except TaskError as error:
            say(f"{image.name} does not tell how containers see {data}, taken for a local directory: {error}")
            break
    return ""


def _type_at(path: str, mounts: str) -> str:
    """Return the type of the file system that a path lies on, out of a /proc/PID/mountinfo (proc_pid_mountinfo(5))."""
    found, longest = "", ""
    for line in mounts.splitlines():
        mount, _, system = line.partition(" - ")
        # Blanks in it are written as \040.
        point = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), mount.split(" ")[4])
        # Of two at one place the later one is seen.
        if len(point) >= len(longest) and f"{path}/".startswith(f"{point.rstrip('/')}/"):
            found, longest = system.partition(" ")[0], point
    return found


def in_overlay(kind: Kind, source: str, target: str, read_only: bool) -> dict[str, Any]:
    """Return one entry of a service's `volumes`; `source` is relative to the first compose file, or a volume's key."""
    more: dict[str, Any] = {"read_only": True} if read_only else {}
    if kind == "volume":
        return {"type": "volume", "source": source, "target": target, **more, "volume": {"nocopy": True}}
    # Compose can ask for a label only in the way of mounting that also makes missing directories.
    how: dict[str, Any] = {"create_host_path": kind == "relabelled"}
    if kind == "relabelled":
        how["selinux"] = "z"
    return {"type": "bind", "source": source, "target": target, **more, "bind": how}


def volume_of(service: str) -> str:
    """Return the key of the volume that a service writes to; no other one sees it."""
    return f"{SPY_VOLUME}-data-{file_name(service)}"


def spy_volume_of(service: str) -> str:
    """Return the key of the volume that holds a service's spy."""
    return f"{SPY_VOLUME}-of-{file_name(service)}"


def fill(stack: str, services: Iterable[str], spies: Mapping[str, Path]) -> None:
    """Open the volumes for data of a created stack to every user, and copy the spies into theirs: by service."""
    volumes = [volume_of(service) for service in services]
    with _volumes(stack, [*map(spy_volume_of, spies), *volumes]) as container:
        for service, spy in spies.items():
            engine.docker("cp", f"{spy}/.", f"{container}:/{spy_volume_of(service)}")
        for volume in volumes:
            # Podman leaves the mode of a mount point alone, unless it is what is copied to; docker the other way round.
            place, name = (f"/{volume}", ".") if engine.is_podman() else ("/", volume)
            engine.docker("cp", "-", f"{container}:{place}", given=_open_directory(name))


def read_back(project: Project, stack: str, services: Iterable[str]) -> None:
    """Copy the journals of a stack's services into the data directory, while it runs or after."""
    there = engine.volumes(stack)
    places = {service: volume for service in services if f"{stack}_{(volume := volume_of(service))}" in there}
    if places:
        with _volumes(stack, places.values()) as container:
            for service, volume in places.items():
                copy_journals(container, f"/{volume}", project.journals_of(service))


def remove(stack: str) -> None:
    """Remove the volumes of this module, no others."""
    for volume in engine.volumes(stack):
        if volume.startswith(f"{stack}_{SPY_VOLUME}"):
            engine.docker("volume", "rm", volume)


def copy_journals(container: str, directory: str, place: Path) -> int:
    """Copy the journals in a container's directory to a place. Return how many there are."""
    copied = 0
    for path, content in engine.files_in(container, directory, LARGEST):
        if _JOURNAL.fullmatch(path.name):
            _keep(content, place / path.name)
            copied += 1
    return copied


def _keep(content: IO[bytes], path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside(path) as part, part.open("xb") as file:
            shutil.copyfileobj(content, file)
    except OSError as error:
        raise TaskError(
            f"journals of a container cannot be copied to {path.parent} ({error.strerror}): make room there, then run "
            "down-coverage again; the container keeps them until then"
        ) from None


@contextmanager
def _volumes(stack: str, volumes: Iterable[str]) -> Iterator[str]:
    """Create a container, never started, that has volumes of the stack where their names say."""
    options = []
    for volume in volumes:
        options += ["--mount", f"type=volume,source={stack}_{volume},target=/{volume},volume-nocopy"]
    with engine.empty_container(*options) as container:
        yield container


def _open_directory(name: str) -> bytes:
    """Return a tar archive of a directory that everybody may write to."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        directory = tarfile.TarInfo(name)
        directory.type, directory.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(directory)
    return archive.getvalue()
