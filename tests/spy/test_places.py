"""Where journals go when the data directory does not take them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from machine import alone_with

from coverage_tasks.journals import read_journals

FALLBACK = Path("/tmp/coverage-spy")


@pytest.fixture
def fallback():
    """The second directory, empty before and gone after."""
    with alone_with("fallback"):
        shutil.rmtree(FALLBACK, ignore_errors=True)
        yield FALLBACK
        shutil.rmtree(FALLBACK, ignore_errors=True)


def test_missing_data_directory_falls_back_and_says_so(spy, fallback):
    missing = spy.directory / "missing"
    spy.run(app="x = 1", environment={"COVERAGE_FILE": f"{missing}/.coverage.orders"})
    (journal,), problems = read_journals(fallback)
    assert not problems
    assert journal.receipt.refusals == (f"cannot write in {missing}: No such file or directory",)
    assert journal.lines == {str(spy.directory / "app.py"): {1}}
    assert not missing.exists()


def test_fallback_that_is_a_link_is_not_followed(newest, fallback):
    target = newest.directory / "target"
    target.mkdir()
    fallback.symlink_to(target)
    try:
        run = newest.run(app="print('runs')", environment={"COVERAGE_FILE": "/nowhere/.coverage.orders"})
    finally:
        fallback.unlink()
    assert run.result.stdout == "runs\n"
    assert not run.result.stderr
    assert not list(target.iterdir())


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounts a small file system")
def test_full_disk_stops_the_recording_and_nothing_else(spy, fallback):
    fallback.write_text("no directory")  # so that there is no second place
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", spy.data], check=True)
    try:
        run = spy.run(app="\n".join(f"x{n} = {n}" for n in range(5000)) + "\nprint('runs')")
    finally:
        subprocess.run(["umount", spy.data], check=True)
        fallback.unlink()
    assert run.result.stdout == "runs\n"
    assert not run.result.stderr
    assert run.lines()
    assert run.lines() <= set(range(1, 5002))


def test_journals_are_readable_by_everybody_whatever_the_umask(newest):
    newest.write(app="x = 1")
    subprocess.run(
        ["sh", "-c", f"umask 077; exec {newest.python} app.py"],
        cwd=newest.directory,
        env=newest.environment,
        check=True,
    )
    (journal,) = newest.data.iterdir()
    assert journal.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its root")
def test_child_that_can_open_no_journal_is_named_in_its_parents(spy):
    (spy.directory / "empty").mkdir()
    run = spy.run(
        app="""
        import os
        os.chroot("empty")
        os.chdir("/")
        for n in range(3):
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
        """
    )
    (journal,) = run.journals
    assert journal.receipt.refusals == ("a forked child could open no journal: what it ran is unknown",)
