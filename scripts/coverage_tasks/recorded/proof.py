"""What measuring changed, proof.json: how each container ended, and what its file system and its model gained."""

from dataclasses import dataclass, field

from ..errors import TaskError
from ..project import Project
from ..records import RecordError, read_record, write_record

FILE = "proof.json"
VERSION = 2


@dataclass(frozen=True)
class Ending:
    """How one container ended; `stop_seconds` is None for one that ended before it was told to."""

    exit_code: int
    oom_killed: bool
    restarts: int
    health: str
    stop_seconds: float | None


@dataclass(frozen=True)
class Changes:
    """What a container's file system gained: mount points, what the spy wrote, and what the application did."""

    mount_points: list[str]
    ours: list[str]
    own: list[str]


@dataclass
class Proof:
    """What was found, by container; `deviations` are sentences, none when all is well.

    `model` has what differs in the compose model, by path: JSON before and after. `derived` images have the spy in
    them.
    """

    stack: str
    endings: dict[str, Ending]
    changes: dict[str, Changes] = field(default_factory=dict)
    model: dict[str, tuple[str, str]] = field(default_factory=dict)
    deviations: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    derived: bool = False


def read_proof(project: Project) -> Proof:
    """Return that of the last run. Raise TaskError when there is none."""
    file = project.state / FILE
    try:
        return read_record(file, Proof, VERSION)
    except FileNotFoundError:
        raise TaskError("there is no measured run to compare with: run the task `coverage` first") from None
    except RecordError as error:
        raise TaskError(f"{file} cannot be read ({error}): remove it and run the task `coverage`") from None


def write_proof(project: Project, proof: Proof) -> None:
    """Keep it. Raise OSError when that is impossible."""
    write_record(project.state / FILE, proof, VERSION)
