"""Processes as the kernel or ps shows them."""

import subprocess
import sys
import time

import pytest

from coverage_tasks.runtimes import procfile
from coverage_tasks.runtimes.ps import sightings


@pytest.mark.parametrize("has_proc", [True, False])
def test_python_processes_of_a_group_are_seen(has_proc, monkeypatch):
    if has_proc and not procfile.HAS_PROC:
        pytest.skip("there is no /proc")
    monkeypatch.setattr(procfile, "HAS_PROC", has_proc)
    if has_proc:
        monkeypatch.setenv("PATH", "")  # no ps either
    command = [sys.executable, "-c", "import time; time.sleep(600)", "hush"]
    before = time.time()
    with subprocess.Popen(command, start_new_session=True) as running:
        try:
            time.sleep(1.1)
            (seen,) = sightings(procfile.members(running.pid))
        finally:
            running.kill()
    assert seen.pid == running.pid
    assert seen.command == f"{sys.executable} -c …"
    assert before - 2 < seen.started <= time.time()  # ages come in whole seconds
