"""Reads COPY and ADD from a Dockerfile: its author's statement of where a file comes from."""

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from ..files import ANYWHERE, read_text

_COMMENT = re.compile(r"^\s*#.*\n?", re.MULTILINE)
_CONTINUED = re.compile(r"\\[ \t]*\n")
_COPY = re.compile(r"\s*(?:COPY|ADD)\s+(?P<rest>.*)", re.IGNORECASE)


def copied_files(root: Path, build: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield (repository path, name in the image) of what the Dockerfile names in COPY or ADD.

    Of *.py the name is "*" where files keep theirs, and the path may be a pattern. Anything else is taken for a
    directory, and its name is where its content goes, with a slash at the end. `build` is that of the compose model.
    What comes from other stages is left out, and so is a Dockerfile that cannot be read.
    """
    context = Path((build or {}).get("context") or "")
    if not build or not context.is_absolute() or not context.resolve().is_relative_to(root):
        return
    place = PurePosixPath(context.resolve().relative_to(root).as_posix())
    for sources, target in _copies(_text(context, build)):
        for source in sources:
            if source.endswith(".py"):
                renamed = target.endswith(".py") and len(sources) == 1
                yield str(place / source.lstrip("/")), PurePosixPath(target).name if renamed else "*"
            else:
                yield str(place / source.lstrip("/")), f"{PurePosixPath(target)}/"


def is_copied(path: str, place: str, copied: Collection[tuple[str, str]]) -> bool:
    """Return whether `copied` says that the file `place` of the image is the repository's file `path`."""
    return any(_leads(source, target, PurePosixPath(path), PurePosixPath(place)) for source, target in copied)


def _leads(source: str, target: str, path: PurePosixPath, place: PurePosixPath) -> bool:
    if not target.endswith("/"):
        named = str(path).count("/") == source.count("/") and fnmatchcase(str(path), source)
        return named and place.name == (path.name if target == "*" else target)
    if not path.is_relative_to(source):
        return False
    # A target that is not absolute begins at a working directory, which may be another image's word.
    wanted = PurePosixPath(target) / path.relative_to(source)
    return place.parts[-len(wanted.parts) :] == wanted.parts


def _text(context: Path, build: Mapping[str, Any]) -> str:
    if build.get("dockerfile_inline"):
        return str(build["dockerfile_inline"])
    try:
        return read_text(context / (build.get("dockerfile") or "Dockerfile"), within=ANYWHERE, errors="replace")
    except OSError:
        return ""


def _copies(text: str) -> Iterator[tuple[list[str], str]]:
    """Yield the sources and the target of each COPY and ADD that takes from the context."""
    for line in _CONTINUED.sub(" ", _COMMENT.sub("", text)).splitlines():
        if not (found := _COPY.fullmatch(line)):
            continue
        try:
            rest = found["rest"]
            flags, words = [], [str(word) for word in (json.loads(rest) if rest[:1] == "[" else shlex.split(rest))]
        except (ValueError, RecursionError):
            continue
        while words and words[0].startswith("--"):
            flags.append(words.pop(0))
        if len(words) > 1 and not any(flag.startswith("--from") for flag in flags):
            yield words[:-1], words[-1]
