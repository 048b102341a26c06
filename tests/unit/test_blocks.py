"""Reservation where the file system copies on write: the request, and what happens where it is not heard."""

import errno
import sys
from ctypes import c_long, sizeof
from mmap import mmap

import pytest

from coverage_spy import blocks
from coverage_spy.journal import Guarded

LONG = sizeof(c_long)


def raiser(error):
    """A function that raises as one of C does: with no frame of its own in the traceback but the spy's."""
    space = {"__package__": "coverage_spy", "error": error}
    exec("def fail(*arguments): raise error", space)
    return space["fail"]


@pytest.mark.parametrize("machine", ["x86_64", "i686", "aarch64", "armv7l", "riscv64", "s390x", "loongarch64"])
def test_request_has_the_size_of_a_long_in_it(machine):
    assert blocks.set_flags("linux", machine) == {8: 0x40086602, 4: 0x40046602}[LONG]


@pytest.mark.parametrize(
    ("platform", "machine"),
    [("linux", "ppc64le"), ("linux", "mips64"), ("linux", "sparc64"), ("linux", "alpha"), ("darwin", "arm64")],
)
def test_request_is_not_made_where_its_number_is_another(platform, machine):
    assert blocks.set_flags(platform, machine) is None


@pytest.mark.skipif(sys.platform != "linux", reason="what other systems do is not known")
def test_unknown_architecture_leaves_words_guarded(monkeypatch, tmp_path):
    monkeypatch.setattr(blocks, "_SET_FLAGS", None)
    assert blocks.write_in_place(-1)


@pytest.mark.parametrize("number", [errno.ENOTTY, errno.EOPNOTSUPP])
def test_no_word_is_at_risk_where_there_is_no_such_flag(monkeypatch, number):
    monkeypatch.setattr(blocks, "_SET_FLAGS", 1)
    monkeypatch.setattr(blocks, "_ioctl", raiser(OSError(number, "")))
    assert not blocks.write_in_place(-1)


@pytest.mark.parametrize("error", [PermissionError(errno.EPERM, ""), OSError(errno.EINVAL, ""), RuntimeError("denied")])
def test_words_are_guarded_where_the_flag_is_refused(monkeypatch, error):
    monkeypatch.setattr(blocks, "_SET_FLAGS", 1)
    monkeypatch.setattr(blocks, "_ioctl", raiser(error))
    assert blocks.write_in_place(-1)


def test_exception_of_a_signal_handler_comes_through(monkeypatch):
    def handler(*arguments):
        raise OSError(errno.ENOTTY, "the application's")

    monkeypatch.setattr(blocks, "_SET_FLAGS", 1)
    monkeypatch.setattr(blocks, "_ioctl", handler)
    with pytest.raises(OSError, match="the application's"):
        blocks.write_in_place(-1)


def guarded(path, size=1 << 14, start=64):
    path.write_bytes(bytes(size))
    with path.open("r+b") as file:
        mapping = mmap(file.fileno(), size)
    return Guarded(str(path), start, memoryview(mapping)[start:].cast("Q"), mapping)


def test_guarded_words_are_stored_in_the_mapping(tmp_path):
    words = guarded(tmp_path / "file")
    words[0], words[1000] = 1, 2
    with pytest.raises(IndexError):
        words[len(words)] = 3
    stored = memoryview((tmp_path / "file").read_bytes()).cast("Q")
    assert (stored[8], stored[1008], sum(stored)) == (1, 2, 3)
