"""Tracers as pip fetches them."""

import os
import re
import subprocess
import sys
from hashlib import sha256

import pytest

from coverage_tasks.errors import TaskError
from coverage_tasks.injection import payload
from coverage_tasks.injection.payload import LOCK, VERSIONS, fill_payload
from coverage_tasks.sources.images import Interpreter


def interpreter(version="3.11", suffix=".cpython-311-x86_64-linux-gnu.so", libc="glibc"):
    return Interpreter(f"/usr/bin/python{version}", version, suffix, libc)


def test_fetches_a_tracer_that_this_python_loads(tmp_path):
    mine = interpreter(f"{sys.version_info[0]}.{sys.version_info[1]}", payload_suffix())
    fill_payload([mine], tmp_path)
    (tracer,) = tmp_path.iterdir()
    assert tracer.name == f"tracer{payload_suffix()}"
    code = (
        "import sys, importlib.util as u; s = u.spec_from_file_location('coverage.tracer', sys.argv[1]); "
        "m = u.module_from_spec(s); s.loader.exec_module(m); print(m.CTracer.__name__)"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(tracer)], capture_output=True, text=True, check=True)
    assert answer.stdout == "CTracer\n"


def payload_suffix() -> str:
    from importlib.machinery import EXTENSION_SUFFIXES

    return EXTENSION_SUFFIXES[0]


@pytest.fixture
def no_index(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))


@pytest.fixture
def locked(monkeypatch, tmp_path):
    """Builds of one name for two libcs, as they are locked."""
    builds = {"glibc": b"glibc build", "musl": b"musl build"}
    lines = (f"39 {libc} x86_64 {sha256(build).hexdigest()}" for libc, build in builds.items())
    lock = tmp_path / "tracers.lock"
    lock.write_text("\n".join(("# Written", *lines)) + "\n")
    monkeypatch.setattr(payload, "TRACERS", lock)
    return builds


OF_TWO_LIBCS = ".cpython-39-x86_64-linux-gnu.so"


def test_what_is_there_is_not_fetched_again(tmp_path, no_index, locked):
    tracer = tmp_path / "payload" / f"tracer{OF_TWO_LIBCS}"
    tracer.parent.mkdir()
    for libc, build in locked.items():
        tracer.write_bytes(build)
        fill_payload([interpreter("3.9", OF_TWO_LIBCS, libc)], tracer.parent)
        assert tracer.read_bytes() == build


def test_build_for_the_other_libc_does_not_count(tmp_path, no_index, locked):
    tracer = tmp_path / "payload" / f"tracer{OF_TWO_LIBCS}"
    tracer.parent.mkdir()
    tracer.write_bytes(locked["glibc"])
    with pytest.raises(TaskError):
        fill_payload([interpreter("3.9", OF_TWO_LIBCS, "musl")], tracer.parent)


@pytest.mark.parametrize("name", [f"tracer{OF_TWO_LIBCS}", "tracer.cpython-38-x86_64-linux-gnu.so", "coverage.py"])
@pytest.mark.parametrize("what", ["altered", "link", "pipe", "directory"])
def test_what_was_altered_since_it_was_fetched_goes_into_no_service(
    tmp_path, no_index, locked, monkeypatch, caplog, name, what
):
    caplog.set_level("INFO", "coverage-spy")
    monkeypatch.setattr(payload, "_fetch_tracer", lambda wheel: locked[wheel.libc])
    (tmp_path / "elsewhere").write_bytes(locked["glibc"])
    strange = tmp_path / "payload" / name
    strange.parent.mkdir()
    if what == "altered":
        strange.write_bytes(locked["glibc"] + b"x")
    elif what == "link":
        strange.symlink_to(tmp_path / "elsewhere")
    elif what == "pipe":
        os.mkfifo(strange)
    else:
        (strange / "full").mkdir(parents=True)
    fill_payload([interpreter("3.9", OF_TWO_LIBCS)], strange.parent)
    assert f"{strange} is no build of coverage.py's that was fetched, and is removed" in caplog.text
    (tracer,) = strange.parent.iterdir()
    assert (tracer.name, tracer.is_symlink()) == (f"tracer{OF_TWO_LIBCS}", False)
    assert tracer.read_bytes() == locked["glibc"]


def test_every_wheel_that_pip_finds_has_a_locked_tracer():
    lines = [line.split() for line in payload.TRACERS.read_text().splitlines()[1:]]
    known = {digits for digits, *_ in lines}
    assert known == VERSIONS.keys() - {"313t"}  # coverage 7.17 has no compiled wheel for it
    for digits in known:
        found = {(libc, machine) for own, libc, machine, _ in lines if own == digits}
        assert found >= {(libc, machine) for libc in ("glibc", "musl") for machine in ("x86_64", "aarch64")}
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for *_, digest in lines)


def test_no_index_is_one_sentence_with_the_remedy(tmp_path, no_index):
    with pytest.raises(TaskError, match=r"cp311 glibc x86_64 cannot be fetched; let pip reach") as raised:
        fill_payload([interpreter()], tmp_path)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_wheel_with_another_hash_is_refused(tmp_path, monkeypatch):
    lock = tmp_path / "payload.lock"
    lock.write_text(re.sub(r"sha256:\w+", "sha256:" + sha256(b"").hexdigest(), LOCK.read_text()))
    monkeypatch.setattr(payload, "LOCK", lock)
    with pytest.raises(TaskError, match="DO NOT MATCH THE HASHES"):
        fill_payload([interpreter()], tmp_path / "payload")
    assert not list((tmp_path / "payload").iterdir())
