"""What a measured process writes: words of 8 bytes in shared memory, each one store, each at once the kernel's.

The format is described in docs/journal.md. Nothing here takes a lock or keeps a descriptor. Threads and signal handlers
may come in between any two steps: a place is taken by one call of an iterator and filled by one store, and a line
counts as seen only after it was stored.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from binascii import crc32
from itertools import count
from mmap import PAGESIZE, mmap

from . import receipt as _receipt
from .blocks import NO_SPACE, allocate, write_in_place
from .receipt import raise_foreign
from .refusals import DIRECTORY, refusal
from .settings import FALLBACK

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from typing import Any

    Words = memoryview | list[int]

FILE, LINE, ARC, ARC_FROM_NEGATIVE, ARC_TO_NEGATIVE, ARC_BOTH_NEGATIVE, END, ORPHAN, RIVAL, LOST = range(1, 11)
KIND_SHIFT, NUMBER_SHIFT, TAG_SHIFT, FROM_SHIFT = 56, 40, 24, 20
LAST_NUMBER, LAST_LINE, LAST_ARC_LINE = (1 << 16) - 1, (1 << 24) - 1, (1 << 20) - 1
SEEN_AHEAD = 256  # lines
LAST_WORDS = 2  # kept at the end of a file: for LOST, then for ORPHAN
RECORD_HEAD = 10  # bytes before the name in a file's record: 2 length of the name, 4 size, 4 CRC-32
UNREADABLE = 0xFFFFFFFF  # as size: the source could not be read

FIRST_SIZE, LAST_SIZE = 16 << 10, 1 << 20  # bytes of a journal: a health check every 2 s writes one every 2 s
SMALLEST_SIZE = 8 << 10  # holds the longest name that `Scope` lets through, and then some
POPULATE_WRITE = 23  # MADV_POPULATE_WRITE, since Linux 5.14
BACK_OFF = 1.0  # seconds without another try after no journal could be opened

# Bound now: an application may replace or patch functions of os.
_close, _dup, _fstat, _getpid, _open = os.close, os.dup, os.fstat, os.getpid, os.open
_pread, _pwrite, _strerror, _unlink = os.pread, os.pwrite, os.strerror, os.unlink
_monotonic, _time = time.monotonic, time.time


class Full(Exception):
    """No journal could be opened for a word. It was not stored and must not be marked as seen."""


class Appended:
    """Words of a journal that can't be mapped: each store opens the file and writes its 8 bytes in place."""

    def __init__(self, path: str, start: int, length: int) -> None:
        self.path, self.start, self.length = path, start, length

    def __len__(self) -> int:
        return self.length

    def __setitem__(self, place: int, word: int) -> None:
        """Raises Full when the file can't be opened or takes no word."""
        if place >= self.length:
            raise IndexError(place)
        try:
            descriptor = _open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                _pwrite(descriptor, word.to_bytes(8, sys.byteorder), self.start + 8 * place)
            finally:
                _close(descriptor)
        except OSError as error:
            raise_foreign(error)
            raise Full from None


class Guarded(Appended):
    """Words of a journal that is mapped, where a page may want a block at any store and the disk may have none left.

    The kernel is asked for the page first; what can't be stored is written, for which the file's own blocks will do.
    """

    def __init__(self, path: str, start: int, words: memoryview, mapping: mmap) -> None:
        """words: begin at `start` in the mapping."""
        Appended.__init__(self, path, start, len(words))
        self.words, self.mapping = words, mapping

    def __setitem__(self, place: int, word: int) -> None:
        """Raises IndexError also when the word can be neither stored nor written. Then the journal counts as full."""
        if place >= self.length:
            raise IndexError(place)
        try:
            try:
                self.mapping.madvise(POPULATE_WRITE, (self.start + 8 * place) // PAGESIZE * PAGESIZE, 8)
                self.words[place] = word
            except OSError as error:  # EFAULT: the store would be SIGBUS; EINVAL: the kernel can't say
                raise_foreign(error)
                Appended.__setitem__(self, place, word)
        except Full:
            self.length = 0  # btrfs looks for a block for milliseconds each time
            raise IndexError(place) from None


class Segment:
    """One journal being written: its words, the next free place, and the numbers its files have got in it."""

    __slots__ = ("last", "numbers", "reserve_at", "take", "take_number", "words")

    def __init__(self, words: Words | Appended, last: Words | Appended) -> None:
        """words: all but LAST_WORDS, which are `last`."""
        self.words = words
        self.last = last
        self.take = count().__next__
        self.take_number = count().__next__
        self.numbers: dict[str, tuple[int, int]] = {}  # name -> (number, tag), both shifted to their places
        self.reserve_at = len(words) * 3 // 4

    def mark_orphan(self) -> None:
        """Store that a forked child has no journal. It is the same word, at the same place, for any number of them."""
        self._mark(1, ORPHAN)

    def mark_lost(self, lost: bool) -> None:
        """Store whether words found no journal."""
        self._mark(0, LOST if lost else 0)

    def _mark(self, place: int, kind: int) -> None:
        try:
            self.last[place] = kind << KIND_SHIFT
        except (IndexError, Full):
            pass  # there is no such word, or no block for it


class Journal:
    """The journals of this process. After a fork the child's first word, or `forked`, starts journals of its own."""

    def __init__(self, description: dict[str, Any]) -> None:
        """Open the first journal, in the data directory or else in the fallback. Raises Full when neither takes it.

        description: the receipt, see `receipt.describe`.
        """
        self.description = description
        self.directories = (description["settings"]["directory"], FALLBACK)
        self.kept: list[mmap] = []
        self.segment = Segment([], [])
        self._begin(_getpid())

    def _begin(self, pid: int) -> None:
        parents = self.segment
        self.segment = Segment([], [])  # until there is one, every word finds its journal full
        self.pid = pid
        self.digests: dict[str, tuple[int, int]] = {}
        self.seen: dict[str, bytearray] = {}  # a byte for each line: a set takes a hundred
        self.seen_arcs: dict[str, set[int]] = {}
        self.size = FIRST_SIZE
        self.quiet_until = 0.0
        self.spare: Segment | None = None
        self.unsettled: Segment | None = None  # says that words found no journal
        try:
            self.segment = self._open_segment()
        except Full:
            parents.mark_orphan()
            raise

    def forked(self) -> None:
        """Give the process its own journal, when it is a child that shares its parent's memory.

        The parent's mapping is shared: a child that went on writing there would overwrite what the parent writes.
        """
        pid = _getpid()
        if pid == self.pid:
            return
        parent = self.description["process"]
        self.description = dict(
            self.description, process=_receipt.token(), parent=parent, segment=0, pid=pid, started=_time()
        )
        self._begin(pid)

    def line(self, name: str, line: int) -> None:
        """Record that `line` of the file `name` ran. Raises Full."""
        if self.pid != _getpid():  # a fork in C runs no Python hooks
            self.forked()
        seen = self.seen.get(name)
        if seen is None:
            seen = self.seen.setdefault(name, bytearray())
        try:
            if seen[line]:
                return
        except IndexError:
            if line > LAST_LINE:
                return
            seen.extend(bytes(line + SEEN_AHEAD))
        self._store(LINE << KIND_SHIFT | line, name)
        seen[line] = True

    def arc(self, name: str, start: int, end: int) -> None:
        """Record that the line `end` of the file `name` ran after `start`; negative as in coverage.py. Raises Full."""
        if self.pid != _getpid():
            self.forked()
        seen = self.seen_arcs.setdefault(name, set())
        kind = ARC + (start < 0) + 2 * (end < 0)
        word = kind << KIND_SHIFT | abs(start) << FROM_SHIFT | abs(end)
        if word in seen or abs(start) > LAST_ARC_LINE or abs(end) > LAST_ARC_LINE:
            return
        self._store(word, name)
        seen.add(word)

    def rival(self) -> None:
        """Record that the application has set a trace function in the place of the tracer's. Raises Full."""
        self._store(RIVAL << KIND_SHIFT)

    def end(self) -> None:
        """Record that the process takes leave with everything written. Raises Full."""
        self._place(END << KIND_SHIFT)  # without it the process counts as one whose end is unknown, which is the truth

    def _store(self, word: int, name: str | None = None) -> None:
        """Store a word, about the file `name` if given, in the next journal when this one is full.

        Raises Full. Until the word comes again and `settle` is called, the journal says that something is lost.
        """
        try:
            self._place(word, name)
        except Full:
            self.unsettled = self.segment
            self.unsettled.mark_lost(True)
            raise

    def _place(self, word: int, name: str | None = None) -> None:
        """Raises Full."""
        while True:
            segment = self.segment
            try:
                number, tag = (0, 0) if name is None else segment.numbers.get(name) or self._declare(segment, name)
                return self._put(segment, word | number | (tag if word >> KIND_SHIFT == LINE else 0))
            except IndexError:
                self._advance(segment)

    def settle(self) -> None:
        """Take back that words are lost: what found no journal was stored in the meantime."""
        segment, self.unsettled = self.unsettled, None
        if segment is not None:
            segment.mark_lost(False)

    def retry(self) -> None:
        """Let the next word try to open a journal, however short a time ago none could be opened."""
        self.quiet_until = 0.0

    def _put(self, segment: Segment, word: int) -> None:
        """Raises IndexError when the journal is full."""
        place = segment.take()
        segment.words[place] = word
        if place == segment.reserve_at and self.spare is None:
            # Before it is needed: a process that changes its root or its user can't open it later.
            try:
                self.spare = self._open_segment()
            except Full:
                segment.reserve_at += (len(segment.words) - place) // 2 or 1

    def look_at(self, name: str) -> tuple[int, int]:
        """Return the digest of the file `name` as it was at first sight."""
        digest = self.digests.get(name)
        if digest is None:
            digest = self.digests[name] = digest_of(name)
        return digest

    def doubt(self, name: str) -> None:
        """Record that nothing vouches for what is told of a file: another had its name. Raises Full."""
        if self.look_at(name)[0] == UNREADABLE:
            return
        self.digests[name] = UNREADABLE, 0
        while True:
            segment = self.segment
            try:
                self._declare(segment, name)
                return
            except IndexError:
                self._advance(segment)

    def _declare(self, segment: Segment, name: str) -> tuple[int, int]:
        digest = self.look_at(name)
        encoded = name.encode("utf-8", "surrogateescape")
        record = len(encoded).to_bytes(2, "big") + digest[0].to_bytes(4, "big") + digest[1].to_bytes(4, "big") + encoded
        number = segment.take_number()
        if number > LAST_NUMBER:
            raise IndexError(number)
        number <<= NUMBER_SHIFT
        for start in range(0, len(record), 5):
            piece = record[start : start + 5].ljust(5, b"\0")
            self._put(segment, FILE << KIND_SHIFT | number | int.from_bytes(piece, "big"))
        tag = (crc32(record) & 0xFFFF) << TAG_SHIFT
        segment.numbers[name] = number, tag
        return number, tag

    def _advance(self, full: Segment) -> None:
        """Go on in the next journal, unless another thread has done so. Raises Full."""
        if self.segment is not full:
            return
        spare, self.spare = self.spare, None
        self.segment = spare or self._open_segment()

    def _open_segment(self) -> Segment:
        """Open the largest journal up to `size` in the first directory that takes it. Raises Full, then backs off."""
        if _monotonic() < self.quiet_until:
            raise Full
        description = self.description
        for directory in self.directories:
            size = self.size
            while size >= SMALLEST_SIZE:
                try:
                    segment = open_segment(directory, description, size, self.kept)
                except OSError as error:
                    raise_foreign(error)
                    number = error.errno or 0
                    reason = refusal(DIRECTORY, directory, errno.errorcode.get(number, ""), _strerror(number))
                    if error.errno not in NO_SPACE:
                        break
                    size //= 2
                else:
                    self.description = dict(description, segment=self.description["segment"] + 1)
                    self.size = min(size * 4, LAST_SIZE)
                    return segment
            description = dict(description, refusals=[*description["refusals"], reason])
        self.quiet_until = _monotonic() + BACK_OFF
        raise Full


def open_segment(directory: str, description: dict[str, Any], size: int, kept: list[mmap]) -> Segment:
    """Open a journal of `size` bytes beyond its receipt, in memory shared with the file. Raises OSError.

    kept: takes the mapping, when it has to outlive the journal.
    """
    if directory == FALLBACK:
        _receipt.make_fallback()
    begin = _receipt.head(description)
    start, end, length = len(begin), len(begin) + size, size // 8 - LAST_WORDS
    descriptor, path = _receipt.create(directory)
    try:
        guarded = write_in_place(descriptor)
        allocate(descriptor, end)
        _pwrite(descriptor, begin, 0)
        try:
            mapping = map_shared(descriptor, end, kept)
        except OSError as error:
            raise_foreign(error)
            return Segment(Appended(path, start, length), Appended(path, start + 8 * length, LAST_WORDS))
        words = memoryview(mapping)[start:].cast("Q")
        first, last = words[:length], words[length:]
        if guarded:
            return Segment(Guarded(path, start, first, mapping), Guarded(path, start + 8 * length, last, mapping))
        return Segment(first, last)
    except BaseException:
        _unlink(path)
        raise
    finally:
        _close(descriptor)


if sys.version_info >= (3, 13):

    def map_shared(descriptor: int, size: int, kept: list[mmap]) -> mmap:
        """Map the file. The mapping holds no descriptor."""
        return mmap(descriptor, size, trackfd=False)

else:

    def map_shared(descriptor: int, size: int, kept: list[mmap]) -> mmap:
        """Map the file and close the copy of the descriptor that mmap keeps (until Python 3.13 brought `trackfd`).

        The copy gets the lowest free number. It is closed again by mmap when that is collected, and by then the number
        may be somebody else's: so it is kept for as long as the interpreter lasts.
        """
        copy = _dup(descriptor)
        _close(copy)
        mapping = mmap(descriptor, size)
        kept.append(mapping)
        try:
            there, here = _fstat(copy), _fstat(descriptor)
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                _close(copy)
        except OSError as error:  # another thread took the number in between; then one descriptor stays open
            raise_foreign(error)
        return mapping


def digest_of(name: str) -> tuple[int, int]:
    """Return size in bytes and CRC-32 of a source file; (UNREADABLE, 0) when it can't be read."""
    try:
        descriptor = _open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            status = _fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):  # `python /dev/stdin`: what is in there belongs to the application
                return UNREADABLE, 0
            source = _pread(descriptor, status.st_size, 0)
        finally:
            _close(descriptor)
    except (OSError, ValueError) as error:
        raise_foreign(error)
        return UNREADABLE, 0
    return len(source), crc32(source) & 0xFFFFFFFF
