"""The head of a journal: magic, version, and the receipt that says which process this is and what was declined.

Parses on every Python from 2.7 on: an interpreter that can't be measured says so with nothing but this module.
The format is described in docs/journal.md.
"""

import os
import stat
import sys
import time
from binascii import crc32, hexlify
from struct import Struct

from .settings import FALLBACK

try:
    from _json import (
        encode_basestring_ascii as quote,
    )  # the json package would import re: 3 ms at every start
except ImportError:
    from json import dumps as quote

MAGIC = b"covspy"
VERSION = 1
HEAD = {
    "<": Struct("<6sBcII"),
    ">": Struct(">6sBcII"),
}  # magic, version, byte order, length and CRC-32 of the receipt
ORDER = "<" if sys.byteorder == "little" else ">"
SUFFIX = ".journal"

# O_NOFOLLOW and O_CLOEXEC are absent on some platforms, O_CLOEXEC from Python 2 altogether.
CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

# Bound now: an application may replace or patch functions of os.
_chmod, _close, _fchmod, _getpid, _lstat = os.chmod, os.close, os.fchmod, os.getpid, os.lstat
_mkdir, _open, _read, _uname, _urandom, _write = os.mkdir, os.open, os.read, os.uname, os.urandom, os.write


def token():
    """Return 16 random hex digits: the name of a journal, or of a process."""
    if sys.version_info < (3,):  # its os.urandom keeps a descriptor open
        descriptor = _open("/dev/urandom", os.O_RDONLY)
        try:
            return hexlify(_read(descriptor, 8)).decode("ascii")
        finally:
            _close(descriptor)
    return hexlify(_urandom(8)).decode("ascii")


def describe(settings, engine):
    """Return a process's receipt as a dict, with the keys of docs/journal.md."""
    return {
        "process": token(),
        "segment": 0,
        "parent": "",
        "service": settings.service,
        "window": settings.window,
        "python": "%d.%d.%d" % sys.version_info[:3],
        "implementation": getattr(getattr(sys, "implementation", None), "name", "cpython"),
        "engine": engine,
        "branch": settings.branch,
        "host": _uname()[1],
        "pid": _getpid(),
        "started": time.time(),
        "settings": {
            "source": list(settings.source),
            "omit": list(settings.omit),
            "directory": settings.directory,
        },
        "refusals": list(settings.refusals),
    }


def encode(value):
    """Return `value`, built of dict, list, str, bool, int and float, as JSON in ASCII."""
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s: %s" % (quote(key), encode(value[key])) for key in value)
    if isinstance(value, list):
        return "[%s]" % ", ".join(map(encode, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return quote(value)


def head(receipt):
    """Return the bytes a journal with this receipt begins with, filled up to a multiple of 8."""
    text = encode(receipt).encode("ascii")
    packed = HEAD[ORDER].pack(MAGIC, VERSION, ORDER.encode("ascii"), len(text), crc32(text) & 0xFFFFFFFF) + text
    return packed + b"\0" * (-len(packed) % 8)


def create(directory):
    """Create an empty journal in `directory` and return its descriptor and path. Raises OSError."""
    path = os.path.join(directory, token() + SUFFIX)
    descriptor = _open(path, CREATE, 0o644)
    try:
        _fchmod(descriptor, 0o644)  # whatever the umask: the host's user reads what a container's root wrote
    except OSError as error:
        raise_foreign(error)  # some network and FUSE file systems refuse chmod; the journal is no less a journal
    return descriptor, path


def refuse(settings):
    """Leave a journal that holds a receipt and nothing else: why this process is not measured.

    Where no directory takes it, the host sees a service without a receipt.
    """
    begin = head(describe(settings, "none"))
    for directory in (settings.directory, FALLBACK):
        try:
            if directory == FALLBACK:
                make_fallback()
            descriptor, _ = create(directory)
            try:
                _write(descriptor, begin)
                return
            finally:
                _close(descriptor)
        except OSError:
            continue


def make_fallback():
    """Make the second directory, open to all users of the container. Raises OSError, also when it is a link."""
    try:
        _mkdir(FALLBACK)
        _chmod(FALLBACK, 0o1777)
    except OSError as error:
        raise_foreign(error)
        if not stat.S_ISDIR(_lstat(FALLBACK).st_mode):
            raise


def raise_foreign(error):
    """Raise `error`, which is being handled, again when it comes out of a signal handler of the application.

    Such a handler may run, and raise whatever it likes, in the middle of any of our functions; to catch its exception
    would be to swallow it. An audit hook of the application that forbids what we do is another matter: the application
    did not do it.
    """
    traceback = sys.exc_info()[2]
    while traceback is not None and traceback.tb_frame.f_globals.get("__package__") == __package__:
        traceback = traceback.tb_next
    if traceback is not None and not is_audit_hook(traceback.tb_frame):
        raise error


def is_audit_hook(frame):
    """Return whether a function was called as an audit hook is: with a name and a tuple (PEP 578).

    A signal handler is called with a number and a frame.
    """
    given = arguments_of(frame)
    return len(given) > 1 and isinstance(given[-2], str) and isinstance(given[-1], tuple)


def arguments_of(frame):
    """Return what a function was given by position, as its variables say now."""
    code = frame.f_code
    variadic = code.co_flags & 0x04  # CO_VARARGS
    names = code.co_varnames[: code.co_argcount]
    given = [frame.f_locals.get(name) for name in names]
    if variadic:  # behind the keyword-only ones
        more = frame.f_locals.get(code.co_varnames[code.co_argcount + getattr(code, "co_kwonlyargcount", 0)])
        given.extend(more if isinstance(more, tuple) else ())
    return given
