"""Where journals go when the data directory does not take them."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from machine import alone_with, as_root, btrfs, fill

from coverage_tasks.recorded.journals import LOST, ORPHANED, Refusal, read_journals

FALLBACK = Path("/tmp/coverage-spy")


@pytest.fixture
def fallback():
    """The second directory, empty before and gone after."""
    with alone_with("fallback"):
        shutil.rmtree(FALLBACK, ignore_errors=True)
        if os.path.lexists(FALLBACK):
            pytest.skip(f"{FALLBACK} is another user's")
        yield FALLBACK
        shutil.rmtree(FALLBACK, ignore_errors=True)


def test_missing_data_directory_falls_back_and_says_so(spy, fallback):
    missing = spy.directory / "missing"
    spy.run(app="x = 1", environment={"COVERAGE_FILE": f"{missing}/.coverage.orders"})
    (journal,), problems = read_journals(fallback)
    assert not problems
    assert journal.receipt.refusals == (Refusal("directory", (str(missing), "ENOENT", "No such file or directory")),)
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


def run_while(spy, change):
    """Run a program that is at rest while `change` is made, before 600 new lines. All fit in the first journal."""
    sources = spy.write(
        app="""
        import os, sys
        def new_lines(name):
            text = "\\n".join(f"x{n} = {n}" for n in range(600))
            exec(compile(text, os.path.abspath(name), "exec"))
        new_lines("before.py")
        print("ready", flush=True)
        sys.stdin.readline()
        new_lines("after.py")
        print("over")
        """
    )
    process = subprocess.Popen(
        [spy.python, "app.py"],
        cwd=spy.directory,
        env=spy.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.3)  # on 3.8 to 3.11 lines are stored ten times a second
            change()
            out, err = process.communicate("\n", timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "over\n", "")
    return spy.read(process, sources)


@pytest.mark.btrfs
@pytest.mark.parametrize("written_back", [False, True])
def test_full_disk_that_copies_on_write_kills_nothing_and_loses_nothing(spy, fallback, written_back):
    def change():
        if written_back:
            subprocess.run(["sync", "-f", spy.data], check=True)
        fill(spy.data)

    with btrfs(spy.data):
        run = run_while(spy, change)
        assert len(run.lines("before.py")) == len(run.lines("after.py")) == 600
    assert not fallback.exists()


@pytest.mark.btrfs
def test_snapshot_takes_the_reserved_blocks_and_kills_nothing(spy, fallback):
    def change():
        as_root("btrfs", "subvolume", "snapshot", spy.data, spy.data / "snapshot")
        fill(spy.data)

    with btrfs(spy.data):
        run = run_while(spy, change)
    journals, problems = read_journals(fallback)
    assert not problems
    run.journals += journals
    assert len(run.lines("before.py")) == len(run.lines("after.py")) == 600


def test_audit_hook_that_forbids_the_flag_forbids_no_journal(spy):
    run = spy.run(
        app="""
        import sys
        def refuse(event, arguments):
            if event == "fcntl.ioctl":
                raise RuntimeError(event)
        sys.addaudithook(refuse)
        exec(compile("\\n".join(f"x{n} = {n}" for n in range(9000)), "generated.py", "exec"))
        """,
    )
    assert not run.result.stderr
    assert len(run.journals) > 1
    assert len(run.lines("generated.py")) == 9000


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
    assert journal.receipt.refusals == (ORPHANED,)


TAKE_ALL_DESCRIPTORS = """
    import os, resource, signal, sys
    def once(name, count):
        exec(compile("x = 1\\n" * count, os.path.abspath(name), "exec"))
    once("before.py", 10)
    sys.stdout.flush()
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    taken = []
    try:
        while len(taken) < 100:
            taken.append(os.dup(1))
    except OSError:
        pass
    once("meanwhile.py", 5000)
"""


@pytest.mark.parametrize("branch", ["false", "true"])
def test_lines_that_run_while_no_journal_can_be_opened_are_written_later(spy, fallback, branch):
    spy.environment["COVERAGE_BRANCH"] = branch
    run = spy.run(app=TAKE_ALL_DESCRIPTORS + "    any(map(os.close, taken))\n    once('after.py', 10)\n")
    run.journals += read_journals(fallback)[0]  # where a descriptor was free again one moment too late
    assert len(run.executed("meanwhile.py")) == 5000
    assert len(run.executed("after.py")) == 10
    assert LOST not in {refusal for journal in run.journals for refusal in journal.receipt.refusals}


@pytest.mark.parametrize(
    "end", ["os.kill(os.getpid(), 9)", "os._exit(-9)", "sys.exit(-9)", "os.execv('/bin/false', [''])"]
)
def test_process_that_ends_while_no_journal_can_be_opened_says_that_lines_are_lost(spy, fallback, end):
    again = "" if spy.engine == "monitor" else "    import time\n    time.sleep(0.5)\n"
    spy.write(app=TAKE_ALL_DESCRIPTORS + again + f"    {end}\n")
    result = subprocess.run([spy.python, "app.py"], cwd=spy.directory, env=spy.environment, stderr=subprocess.PIPE)
    assert result.returncode
    run = spy.read(result, {})
    assert 0 < len(run.lines("meanwhile.py")) < 5000
    assert LOST in {refusal for journal in run.journals for refusal in journal.receipt.refusals}
    assert not sum(journal.unreadable for journal in run.journals)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounts a small file system")
@pytest.mark.parametrize("stays", [False, True])
def test_disk_that_is_full_for_a_while_costs_nothing_and_one_that_stays_full_is_told(spy, fallback, stays):
    fallback.write_text("no directory")  # so that there is no second place
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", spy.data], check=True)
    try:
        (spy.data / "fill").write_bytes(bytes(40 << 10))
        run = spy.run(
            app=f"""
            import os
            def once(name, count):
                exec(compile("x = 1\\n" * count, os.path.abspath(name), "exec"))
            once("before.py", 3000)
            {"pass" if stays else 'os.unlink("data/fill")'}
            once("after.py", 10)
            """
        )
    finally:
        subprocess.run(["umount", spy.data], check=True)
        fallback.unlink()
    assert (len(run.lines("before.py")) + len(run.lines("after.py")) < 3010) == stays
    assert (LOST in {refusal for journal in run.journals for refusal in journal.receipt.refusals}) == stays
