"""The blocks of a journal: the disk gives all of them before the first word is stored, and no word needs another.

A store into a mapped page that gets no block would be SIGBUS. On a file system that copies on write (btrfs) a page that
is written anew needs a new one, unless the file is one that is written in place.
"""

from __future__ import annotations

import errno
import os
import sys
from fcntl import ioctl as _ioctl
from struct import calcsize

from .receipt import raise_foreign

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_SUCH_FLAG = (errno.EOPNOTSUPP, errno.ENOTTY)
IN_PLACE = (0x00800000).to_bytes(4, sys.byteorder) + bytes(4)  # FS_NOCOW_FL: an int, though the request says long
GENERIC = ("x86_64", "i", "aarch64", "arm", "riscv", "s390", "loongarch")  # mips, ppc and sparc number requests anew

# Bound now: an application may replace or patch functions of os.
_pwrite, _strerror = os.pwrite, os.strerror
_fallocate: Callable[[int, int, int], None] | None = getattr(os, "posix_fallocate", None)


def set_flags(platform: str, machine: str) -> int | None:
    """Return the number of the request FS_IOC_SETFLAGS; None where it is not known."""
    if platform == "linux" and machine.startswith(GENERIC):
        return 0x40006602 | calcsize("l") << 16
    return None


_SET_FLAGS = set_flags(sys.platform, os.uname().machine)


def write_in_place(descriptor: int) -> bool:
    """Have a file, still empty, written in place. Returns False where there is no such flag: no word is at risk there.

    Where there is, some are: a snapshot shares the blocks of such a file, and before Linux 6.17 btrfs wants a new block
    for each page that is stored to through a mapping, though it would not use it.
    """
    if _SET_FLAGS is None:
        return sys.platform == "linux"
    try:
        _ioctl(descriptor, _SET_FLAGS, IN_PLACE)
    except Exception as error:  # an audit hook raises what it likes
        raise_foreign(error)
        return not (isinstance(error, OSError) and error.errno in NO_SUCH_FLAG)
    return True


def allocate(descriptor: int, size: int) -> None:
    """Give the file its blocks now. Raises OSError."""
    if _fallocate is not None:
        try:
            return _fallocate(descriptor, 0, size)
        except OSError as error:
            raise_foreign(error)
            if error.errno in NO_SPACE:
                raise
    # musl, macOS and file systems without fallocate
    if _pwrite(descriptor, bytes(size), 0) < size:
        raise OSError(errno.ENOSPC, _strerror(errno.ENOSPC))
