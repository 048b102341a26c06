"""Tracers as pip fetches them."""

import re
import subprocess
import sys
from hashlib import sha256

import pytest

from coverage_tasks.errors import TaskError
from coverage_tasks.injection import payload
from coverage_tasks.injection.payload import LOCK, fill_payload
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


def test_build_for_the_other_libc_does_not_count(tmp_path, no_index):
    wanted = interpreter("3.9", ".cpython-39-x86_64-linux-gnu.so", "musl")
    (tmp_path / f"tracer{wanted.suffix}").write_bytes(b"glibc build")
    with pytest.raises(TaskError):
        fill_payload([wanted], tmp_path)
    (tmp_path / f"tracer{wanted.suffix}").write_bytes(b"\0libc.musl-x86_64.so.1\0")
    fill_payload([wanted], tmp_path)


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
