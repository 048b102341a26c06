"""Files that the tasks write: replaced as a whole, under names that are safe; and where the cache is."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from zlib import crc32

LONGEST_NAME = 200  # bytes, of a service as that of a file


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path to write to; what is there afterwards takes the place of `path`, and nothing when the body raises.

    Its name is one that nobody can have made a link of before.
    """
    part = path.with_name(f".{path.name}.{token_hex(8)}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def cache_directory() -> Path:
    """Where this user's tasks keep what all checkouts share; COVERAGE_SPY_CACHE decides otherwise."""
    from platformdirs import user_cache_path  # nox imports this module, and need not have it

    try:
        return Path(os.environ.get("COVERAGE_SPY_CACHE") or user_cache_path("coverage-spy"))
    except RuntimeError:  # a user without a home: nothing can be kept below a file
        return Path(os.devnull, "cache")


def file_name(service: str) -> str:
    """The name of a service as that of a file, whatever it is called: two never get the same one."""
    plain = re.sub(r"[^\w.-]", "_", service).lstrip(".")
    encoded = service.encode("utf-8", "surrogatepass")
    return (
        service if plain and plain == service and len(encoded) <= LONGEST_NAME else f"{plain[:50]}-{crc32(encoded):08x}"
    )
