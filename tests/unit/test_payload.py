import re

import pytest

from coverage_tasks.injection import payload
from coverage_tasks.injection.payload import LOCK, VERSIONS, Wheel, fill_payload, needs_tracer
from coverage_tasks.sources.images import Interpreter


def interpreter(version="3.11", suffix=".cpython-311-x86_64-linux-gnu.so", libc="glibc"):
    return Interpreter(f"/usr/bin/python{version}", version, suffix, libc)


@pytest.mark.parametrize(
    ("version", "branch", "expected"),
    [
        ("2.7", True, False),
        ("3.7", False, False),
        ("3.8", False, True),
        ("3.9", False, True),
        ("3.11", False, True),
        ("3.12", False, False),
        ("3.12", True, True),
        ("3.14", False, False),
        ("3.14", True, True),
    ],
)
def test_tracer_is_for_old_pythons_and_branches(version, branch, expected):
    assert needs_tracer(interpreter(version), branch) is expected


@pytest.mark.parametrize(
    ("suffix", "libc", "expected"),
    [
        (".cpython-38-x86_64-linux-gnu.so", "glibc", Wheel("38", "glibc", "x86_64")),
        (".cpython-39-x86_64-linux-gnu.so", "musl", Wheel("39", "musl", "x86_64")),
        (".cpython-312-aarch64-linux-musl.so", "musl", Wheel("312", "musl", "aarch64")),
        (".cpython-313t-x86_64-linux-gnu.so", "glibc", Wheel("313t", "glibc", "x86_64")),
        (".cpython-311-i386-linux-gnu.so", "glibc", None),
        (".cpython-37m-x86_64-linux-gnu.so", "glibc", None),
        (".cpython-399-x86_64-linux-gnu.so", "glibc", None),
        (".pypy310-pp73-x86_64-linux-gnu.so", "glibc", None),
    ],
)
def test_suffix_names_the_wheel(suffix, libc, expected):
    assert payload._wheel_for(interpreter(suffix=suffix, libc=libc)) == expected


def test_lock_holds_every_version_and_nothing_else():
    lines = LOCK.read_text().replace("\\\n", "").splitlines()[1:]
    assert [line.split()[0] for line in lines] == [
        f"coverage=={version}" for version in dict.fromkeys(VERSIONS.values())
    ]
    for line in lines:
        hashes = line.split()[1:]
        assert len(set(hashes)) == len(hashes) >= 6
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes)


def test_unknown_platform_is_named_and_left_out(tmp_path, caplog):
    caplog.set_level("INFO", "coverage-spy")
    fill_payload([interpreter(suffix=".cpython-311-s390x-linux-gnu.so")], tmp_path)
    assert "no build for .cpython-311-s390x-linux-gnu.so" in caplog.text
    assert list(tmp_path.iterdir()) == []
