"""Which repository is measured, by which runtime, and where the results go."""

import os
from dataclasses import dataclass
from pathlib import Path

from .files import ANYWHERE, file_name, read_text
from .places import state_directory

TOOL = Path(__file__).resolve().parents[2]
SPY = TOOL / "coverage-spy"
EXAMPLE = TOOL / "examples" / "shop"
DATA = "coverage-data"

# Compose's own names, in compose's own order.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


@dataclass(frozen=True)
class Project:
    """One repository as the tasks see it; every report lies below `root`."""

    root: Path
    runtime: str
    files: tuple[Path, ...]

    @property
    def state(self) -> Path:
        """What is known of the run, and what its services write: outside of the checkout."""
        return state_directory(self.root)

    @property
    def data(self) -> Path:
        """What is kept of runs in the checkout: saved ones, and the reports of each service, which nothing reads."""
        return self.root / DATA

    @property
    def journals(self) -> Path:
        """What the services write: a directory for each, and nothing of ours besides. A container sees its own only."""
        return self.state / "journals"

    def journals_of(self, service: str) -> Path:
        """The directory that a service writes to."""
        return self.journals / file_name(service)

    @property
    def runs(self) -> Path:
        """The saved runs, each a directory with its name."""
        return self.data / "runs"

    @property
    def baseline(self) -> Path:
        """The numbers that a run may not fall below; the repository keeps it."""
        return self.root / "coverage-baseline.json"

    @property
    def coverage_file(self) -> Path:
        """The combined data."""
        return self.root / ".coverage"


def root_in(directory: Path) -> Path:
    """Return the repository that tasks take in a directory: in the template's own checkout the example, unless that
    has something to run itself.
    """
    root = directory.resolve()
    if root != TOOL or not EXAMPLE.is_dir() or {**dotenv(root), **os.environ}.get("COMPOSE_FILE"):
        return root
    return root if first_of(root, (*COMPOSE_NAMES, "Procfile")) else EXAMPLE


def dotenv(root: Path) -> dict[str, str]:
    """Return what compose's .env says about the compose files; compose reads everything else in it by itself."""
    file = root / ".env"
    try:
        lines = [] if file.is_dir() else read_text(file, within=ANYWHERE, errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if line.startswith("COMPOSE_") and "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, value in pairs}


def first_of(directory: Path, names: tuple[str, ...]) -> Path | None:
    """Return the first of the files that is in a directory."""
    return next((directory / name for name in names if (directory / name).is_file()), None)
