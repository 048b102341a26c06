"""Data files of coverage.py's that anybody may have made: of a copy, and only what coverage.py can have written."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from coverage import CoverageData
from coverage.exceptions import CoverageException

from coverage_spy.journal import LAST_LINE

from ..errors import TaskError
from ..files import copy_file

LARGEST_DATA = 1 << 30  # bytes

# https://coverage.readthedocs.io/en/latest/dbschema.html
_IMPOSSIBLE = """
select 'path' from file where typeof(path) <> 'text' or path = ''
union all select 'context' from context where typeof(context) <> 'text'
union all select 'set of lines' from line_bits where typeof(numbits) <> 'blob' or length(numbits) > :bytes
union all select 'branch' from arc where typeof(fromno) <> 'integer' or typeof(tono) <> 'integer'
    or max(fromno, tono) > :line or min(fromno, tono) < -:line
limit 1
"""


@contextmanager
def opened_data(file: Path, within: Path | None = None) -> Iterator[CoverageData]:
    """Open a copy of a data file, with links as `read_file` has them: coverage.py makes tables in what it opens.

    Raise TaskError when coverage.py cannot have written it.
    """
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory, "data")
        data = CoverageData(str(copy))
        try:
            copy_file(file, copy, LARGEST_DATA, within)
            require_sound(copy)
            data.read()
        except (OSError, sqlite3.Error, CoverageException) as error:
            raise _no_data(file, error) from None
        try:
            yield data
        except (sqlite3.Error, CoverageException) as error:
            raise _no_data(file, error) from None
        finally:
            data.close()


def require_sound(file: Path) -> None:
    """Raise sqlite3.Error when a data file has other tables than coverage.py's, or values that these never hold."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
        found = database.execute(_IMPOSSIBLE, {"line": LAST_LINE, "bytes": LAST_LINE // 8 + 1}).fetchone()
    if found:
        raise sqlite3.DataError(f"it has an impossible {found[0]}")


def _no_data(file: Path, error: Exception) -> TaskError:
    return TaskError(f"{file} is no data file of coverage.py's ({error}): name another one")
