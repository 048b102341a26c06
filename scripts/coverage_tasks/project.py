"""Which repository is measured, by which runtime, and where the results go."""

import os
from collections.abc import Mapping
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
        """Return the directory that a service writes to."""
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
        """The combined data, of which the reports are made."""
        return self.state / "coverage.sqlite"


def root_in(directory: Path) -> Path:
    """Return the repository that tasks take in a directory: in the template's own checkout the example, unless that
    has something to run itself.
    """
    root = directory.resolve()
    if root != TOOL or not EXAMPLE.is_dir() or os.environ.get("COMPOSE_FILE"):
        return root
    runs = first_of(root, (*COMPOSE_NAMES, "Procfile")) or may_name_compose_files(root, os.environ)
    return root if runs else EXAMPLE


def may_name_compose_files(root: Path, environ: Mapping[str, str]) -> bool:
    """Return whether a .env of compose's speaks of compose files; only compose knows what it says of them."""
    names = environ.get("COMPOSE_ENV_FILES")
    for file in [root / name for name in names.split(",")] if names else [root / ".env"]:
        try:
            if not file.is_dir() and "COMPOSE_FILE" in read_text(file, within=ANYWHERE, errors="replace"):
                return True
        except OSError:
            continue
    return False


def first_of(directory: Path, names: tuple[str, ...]) -> Path | None:
    """Return the first of the files that is in a directory."""
    return next((directory / name for name in names if (directory / name).is_file()), None)
