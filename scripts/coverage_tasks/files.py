"""Files: written as a whole, under names that are safe; and read, whoever may have put them there.

Only regular ones are read, none is waited for, and none without a limit.
"""

import json
import os
import re
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import IO, Any
from zlib import crc32

from .errors import TaskError

LONGEST_NAME = 200  # bytes, of a service as that of a file
MOST = 64 << 20  # bytes: what reading and parsing can cost without harm
WRITTEN_BY_HAND = 1 << 20
ANYWHERE = Path("/")

_BEGINNING, _PIECE = 1 << 12, 1 << 20
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there then takes the place of `path`, nothing when the body raises.

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


def file_name(service: str) -> str:
    """Return the name of a service as that of a file, whatever it is called: two never get the same one."""
    plain = re.sub(r"[^\w.-]", "_", service).lstrip(".")
    encoded = service.encode("utf-8", "surrogatepass")
    return (
        service if plain and plain == service and len(encoded) <= LONGEST_NAME else f"{plain[:50]}-{crc32(encoded):08x}"
    )


def read_file(path: Path, most: int = MOST, within: Path | None = None) -> bytes:
    """Return the content of a regular file of `most` bytes; follow a link only as far as it leads to a place `within`.

    Raise OSError where the system lets nobody read it, and TaskError when it is something else or has more.
    """
    return b"".join(read_pieces(path, most, within))


def read_text(path: Path, most: int = WRITTEN_BY_HAND, within: Path | None = None, errors: str = "strict") -> str:
    """Return the same of a text in UTF-8, with the ends of lines as Python has them. Raise UnicodeDecodeError, too."""
    text = read_file(path, most, within).decode("utf-8", errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: Path, most: int = MOST, within: Path | None = None) -> Any:
    """Return what the JSON in such a file says. Raise ValueError, too, when it is none."""
    try:
        return json.loads(read_file(path, most, within))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_end(path: Path, most: int) -> bytes:
    """Return the last `most` bytes of such a file, or all of them; no link is followed. Raise as `read_file` does."""
    with _opened(path, None) as file:
        file.seek(max(os.fstat(file.fileno()).st_size - most, 0))
        return file.read(most)


def require_file(path: Path, most: int) -> None:
    """Raise TaskError unless it is a regular file of no more than `most` bytes, for what only takes a path."""
    status = path.lstat()
    _require_regular(path, status)
    if status.st_size > most:
        raise _too_large(path, most)


def copy_file(path: Path, target: Path, most: int, within: Path | None = None) -> None:
    """Write the content of such a file to another one."""
    with target.open("xb") as written:
        for piece in read_pieces(path, most, within):
            written.write(piece)


def make_ignored(directory: Path) -> None:
    """Make a directory of which git shows nothing. Raise OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ".gitignore").write_text("*\n")


def refuse_links(directory: Path) -> None:
    """Raise TaskError when a directory of ours, or one right in it or among its journals, is a link.

    A repository may have it that way, and what is in them is removed, opened to everybody and written.
    """
    whatever_it_leads_to = (directory, directory / ".gitignore")
    for path in (*whatever_it_leads_to, *directory.glob("*"), *directory.glob("journals/*")):
        if path.is_symlink() and (path in whatever_it_leads_to or path.is_dir()):
            raise TaskError(f"{path} is a link, and what is in it is removed and written: remove the link")


def read_pieces(path: Path, most: int, within: Path | None = None) -> Generator[bytes, None, None]:
    """Yield the content of such a file, the beginning first, which may be enough. Raise as `read_file` does."""
    with _opened(path, within) as file:
        left, size = most, _BEGINNING
        while piece := file.read(min(size, left + 1)):
            left, size = left - len(piece), _PIECE
            if left < 0:
                raise _too_large(path, most)
            yield piece


def _opened(path: Path, within: Path | None) -> IO[bytes]:
    place = path
    if within is not None:
        place, end = Path(os.path.realpath(path)), Path(os.path.realpath(within))
        if not place.is_relative_to(end):
            raise TaskError(
                f"{path} is a link that leads out of {within}: put the file itself in its place, or remove it"
            )
    _require_regular(path, place.lstat())  # to open a device may set it off
    file = os.fdopen(os.open(place, _FLAGS), "rb")
    try:
        _require_regular(path, os.fstat(file.fileno()))  # still
    except TaskError:
        file.close()
        raise
    return file


def _too_large(path: Path, most: int) -> TaskError:
    return TaskError(f"{path} has more than {most} bytes: put a smaller file in its place, or remove it")


def _require_regular(path: Path, status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise TaskError(f"{path} is {_KINDS.get(kind, 'no file')}: put a file in its place, or remove it")
