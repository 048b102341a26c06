"""Stores on a full disk, in a process that they could kill."""

import os
import subprocess
import sys

import pytest
from machine import SPY

# A file that ends before its mapping does refuses each store, as one on a full disk does.
STORE = """
import os, resource, signal, sys
sys.path[:0] = [{tests!r}, {spy!r}]
from pathlib import Path
from unit.test_blocks import guarded
words = guarded(Path("file"))
os.truncate("file", 0)
if {limit}:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    words[1000] = 1
except IndexError:
    print("full", len(words))
print(os.path.getsize("file"))
"""


@pytest.mark.parametrize(("limit", "out"), [(False, f"{64 + 8008}\n"), (True, "full 0\n0\n")])
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked for the page")
def test_store_that_would_kill_is_written_or_the_journal_is_full(tmp_path, limit, out):
    script = STORE.format(limit=limit, tests=str(SPY.parent / "tests"), spy=str(SPY))
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ)
    )
    assert (result.returncode, result.stdout) == (0, out), result.stderr
