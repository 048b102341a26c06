"""The standard streams and the encoding of names, whatever they are where a task is started."""

import os
import sys
from contextlib import suppress


def require_utf8() -> None:
    """Begin this process anew where file names are of another encoding: under LC_ALL=C git's would be no text."""
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - no shell


def open_closed() -> None:
    """Let what was closed lead nowhere, or the next file that is opened would be the output of somebody's command."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)


def write_whatever_it_is() -> None:
    """Have characters that an output's encoding lacks written as escapes."""
    with suppress(AttributeError):  # a test's
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def output_fails() -> bool:
    """Return whether stdout takes nothing any more, not even the end of a line; what is left of it is dropped then."""
    try:
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), b"\n")
    except OSError:
        drop_output()
        return True
    return False


def drop_output() -> None:
    """Let stdout lead nowhere: the interpreter would complain once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
