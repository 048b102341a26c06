"""JSON of anybody's as the types that it should be of: what has another shape is refused before anything uses it."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

YEAR_3000 = 32503680000.0  # seconds since the epoch, and what every part of a report can write as a date
LARGEST_NUMBER = 1 << 53  # what every reader of JSON takes for an integer
LONGEST_PATH = 4000  # bytes, with a directory before it
LONGEST_NAME = 255

_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\")


def shaped(kind: Any, value: Any) -> Any:
    """What a value out of JSON is as a type says: objects for dataclasses, lists for named tuples.

    Every float is taken for a moment. Raises ValueError when it can be none of that type.
    """
    made = _record(kind, value) if _fields_of(kind) else _plain(kind, value)
    if made is None:
        raise ValueError(f"it has {value!r:.60} where {getattr(kind, '__name__', kind)} belongs")
    return made


def is_repository_path(path: str) -> bool:
    """Whether a file of a repository can be called that: nothing that leads out of it, on any system."""
    encoded = path.encode("utf-8", "replace")
    return (
        posixpath.normpath(path) == path
        and path.split("/")[0] not in ("", ".", "..")
        and not _DRIVE.match(path)
        and "\0" not in path
        and encoded.decode() == path
        and len(encoded) <= LONGEST_PATH
        and all(len(part) <= LONGEST_NAME for part in encoded.split(b"/"))
    )


@cache
def _fields_of(kind: Any) -> Mapping[str, Any]:
    """Name -> type of a dataclass or of a named tuple; nothing of another type."""
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else getattr(kind, "_fields", ())
    return {name: get_type_hints(kind)[name] for name in names}


def _record(kind: Any, value: Any) -> Any:
    hints = _fields_of(kind)
    if not is_dataclass(kind):
        value = dict(zip(hints, value, strict=False)) if type(value) is list and len(value) <= len(hints) else None
    if type(value) is not dict or not value.keys() <= hints.keys():
        return None
    try:
        return kind(**{name: shaped(hints[name], each) for name, each in value.items()})
    except TypeError:
        return None  # one is missing


def _plain(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value if type(value) is str and value in arguments else None
    if origin is dict:
        return {name: shaped(arguments[1], each) for name, each in value.items()} if type(value) is dict else None
    if origin in (list, tuple):
        return origin(shaped(arguments[0], each) for each in value) if type(value) is list else None
    if kind is float:
        return value if type(value) in (int, float) and 0 <= value < YEAR_3000 else None
    if type(value) is not kind or (kind is int and abs(value) > LARGEST_NUMBER):
        return None
    return value
