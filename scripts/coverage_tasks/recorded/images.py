"""The images of a run: a copy of what they hold beside its data, and one in the user's cache for every checkout."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ..errors import TaskError
from ..records import RecordError, read_record, write_record
from ..sources.images import Image

VERSION = 1


def load_image(state: Path, content: str) -> Image | None:
    """Return the image as it was inspected for the run, out of the state directory; None when it never was."""
    return load(state / "images" / f"{content}.json")


def load(file: Path) -> Image | None:
    """Return the image that a file keeps; None when it keeps none that this version can read."""
    try:
        return read_record(file, Image, VERSION)
    except (TaskError, FileNotFoundError, RecordError):
        return None


def store(file: Path, image: Image) -> None:
    """Keep an image in a file."""
    # Whoever may not write here reads the image again the next time.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_record(file, image, VERSION)


def forget(directory: Path, kept: Collection[str]) -> None:
    """Remove all images of a directory but those in the files that are kept."""
    for file in directory.glob("*.json"):
        if file.name not in kept:
            file.unlink(missing_ok=True)
