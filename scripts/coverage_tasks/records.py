"""Records: what the tasks keep on disk as JSON. Each has one type, and this is the one reader and writer of all."""

import json
from pathlib import Path
from typing import Any, TypeVar

import cattrs
from cattrs.errors import CattrsError

from .files import beside

Record = TypeVar("Record")


class RecordError(ValueError):
    """A file does not hold the record that belongs there; the message says why."""


class OtherVersion(RecordError):
    """It holds one that another version of coverage-spy wrote: `found`."""

    def __init__(self, found: dict[str, Any]) -> None:
        """Keep what was found."""
        super().__init__("another version of coverage-spy wrote it")
        self.found = found


def _exactly(value: Any, type_: type) -> Any:
    # JSON has one kind of number, and Python takes true for one.
    if type_ is float and type(value) is int:
        return float(value)
    if type(value) is not type_:
        raise ValueError(f"{value!r:.40} is no {type_.__name__}")
    return value


_DAMAGE = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, CattrsError)

_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
for _type in (str, int, float, bool):
    _converter.register_structure_hook(_type, _exactly)


def read_record(file: Path, type_: type[Record], version: int) -> Record:
    """Return the record in a file.

    Raise FileNotFoundError when there is no file, RecordError when it cannot be read or holds another record or
    version.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
        if found.pop("version") != version:
            raise OtherVersion(found)
        return _converter.structure(found, type_)
    except (FileNotFoundError, RecordError):
        raise
    except OSError as error:
        raise RecordError(error.strerror) from None
    except _DAMAGE as error:
        raise RecordError(f"it is damaged: {error!r:.80}") from None


def write_record(file: Path, record: object, version: int) -> None:
    """Replace a file by a record. Raise OSError when that is impossible; the file is as before then."""
    with beside(file) as part:
        part.write_text(json.dumps({"version": version, **_converter.unstructure(record)}, indent=1) + "\n", "utf-8")
