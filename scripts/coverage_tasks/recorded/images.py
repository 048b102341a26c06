"""The images of a run: a copy of what they hold beside its data, and one in the user's cache for every checkout."""

import json
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path

from ..errors import TaskError
from ..files import beside, read_json
from ..sources.images import Image, Interpreter
from ..sources.repository import Digest


def load_image(state: Path, content: str) -> Image | None:
    """The image as it was inspected for the run, out of the state directory; None when it never was."""
    return load(state / "images" / f"{content}.json")


def load(file: Path) -> Image | None:
    """Return the image that a file keeps; None when it keeps none that this version can read."""
    try:
        found = read_json(file)
        if set(found) != {known.name for known in fields(Image)}:
            return None  # another version of this module wrote it
        if not all(isinstance(found[name], dict) for name in ("environment", "files", "shebangs", "links")):
            return None
        for name in ("sites", "entrypoint", "command", "customizations", "ids", "written", "compiled"):
            found[name] = tuple(found[name])
        found["interpreters"] = tuple(Interpreter(**interpreter) for interpreter in found["interpreters"])
        found["files"] = {path: Digest(*digest) for path, digest in found["files"].items()}
        return Image(**found)
    except (TaskError, OSError, ValueError, TypeError, KeyError):
        return None


def store(file: Path, image: Image) -> None:
    """Keep an image in a file."""
    # Whoever may not write here reads the image again the next time.
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with beside(file) as part:
            part.write_text(json.dumps(asdict(image)))


def forget(directory: Path, kept: Collection[str]) -> None:
    """Remove all images of a directory but those in the files that are kept."""
    for file in directory.glob("*.json"):
        if file.name not in kept:
            file.unlink(missing_ok=True)
