"""Records: what the tasks keep on disk as JSON. Each has one type, and this is the one reader and writer of all.

Anybody may have made a file: what has another shape, or numbers that nothing here writes, is refused before it is used.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import cattrs
from cattrs.errors import CattrsError

from .files import MOST, beside, read_json

YEAR_3000 = 32503680000.0  # seconds since the epoch, and what every part of a report can write as a date
LARGEST_NUMBER = 1 << 53  # what every reader of JSON takes for an integer

Record = TypeVar("Record")


class RecordError(ValueError):
    """A file does not hold the record that belongs there; the message says why."""


class OtherVersion(RecordError):
    """It holds one that another version of coverage-spy wrote: `found`."""

    def __init__(self, found: dict[str, Any]) -> None:
        """Keep what was found."""
        super().__init__("another version of coverage-spy wrote it")
        self.found = found


def _exactly(value: Any, type_: Any) -> Any:
    # JSON has one kind of number, and Python takes true for one.
    if type(value) is not type_ and not (type_ is float and type(value) is int):
        raise ValueError(f"{value!r:.40} is no {type_.__name__}")
    if type_ is float and not 0 <= value < YEAR_3000:
        raise ValueError(f"{value!r:.40} is neither a moment nor a duration")
    if type_ is int and abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{value!r:.40} is too large")
    return type_(value)


def _is_in_order(type_: Any) -> bool:
    origin: Any = get_origin(type_)
    return origin in (list, tuple)


def _structure_in_order(type_: Any) -> Callable[[Any, Any], Any]:
    """Return what makes a list or a tuple of a list, and of nothing else that Python can iterate over."""
    kind: Any = get_origin(type_)
    items = get_args(type_)
    hooks = [(_converter.get_structure_hook(item), item) for item in items if item is not ...]

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not list:
            raise ValueError(f"{value!r:.40} is no list")
        if kind is tuple and items[-1] is not ...:
            return tuple(hook(each, item) for each, (hook, item) in zip(value, hooks, strict=True))
        hook, item = hooks[0]
        return kind(hook(each, item) for each in value)

    return structure


_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, CattrsError)

_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
for _type in (str, int, float, bool):
    _converter.register_structure_hook(_type, _exactly)
_converter.register_structure_hook_factory(_is_in_order, _structure_in_order)


def read_record(file: Path, type_: type[Record], version: int, most: int = MOST, within: Path | None = None) -> Record:
    """Return the record in a file of `most` bytes. A link is followed as `read_file` does.

    Raise FileNotFoundError when there is no file, RecordError when it cannot be read or holds another record or
    version, and TaskError as `read_file` does.
    """
    try:
        found = read_json(file, most, within)
        if found.pop("version") != version:
            raise OtherVersion(found)
        return _converter.structure(found, type_)
    except (FileNotFoundError, RecordError):
        raise
    except OSError as error:
        raise RecordError(error.strerror) from None
    except _DAMAGE as error:
        raise RecordError(f"it is damaged: {error!r:.80}") from None


def write_record(file: Path, record: object, version: int, for_people: bool = False) -> None:
    """Replace a file by a record, `for_people` with a line for each entry of its tables.

    Raise OSError when that is impossible; the file is as before then.
    """
    found = {"version": version, **_converter.unstructure(record)}
    with beside(file) as part:
        part.write_text((_in_lines(found, 2) if for_people else json.dumps(found, indent=1)) + "\n", "utf-8")


def _in_lines(value: Any, levels: int, indent: str = "") -> str:
    """Return JSON as it stands well in a repository: what holds nothing but numbers and names is one line."""
    if not levels or not isinstance(value, dict) or not any(isinstance(entry, dict) for entry in value.values()):
        return json.dumps(value)
    inner = f"{indent} "
    entries = (f"{inner}{json.dumps(key)}: {_in_lines(entry, levels - 1, inner)}" for key, entry in value.items())
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
