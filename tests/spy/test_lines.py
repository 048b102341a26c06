"""What is recorded while a process lives and when it ends, on both engines."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from machine import PATIENCE, SPY, eventually

from coverage_tasks.recorded.journals import RIVAL, Refusal

PROGRAM = """
    import sys  # runs
    def used(flag):  # runs
        if flag:  # runs
            return "yes"  # runs
        return "no"
    def unused():  # runs
        return 1
    print(used(True))  # runs
"""


def test_records_exactly_the_lines_that_ran(spy):
    run = spy.run(app=PROGRAM)
    assert run.result.stdout == "yes\n"
    assert run.lines() == run.marked()
    assert run.journals[0].receipt.engine == spy.engine


def test_receipt_says_who_ran(spy):
    spy.environment["COVERAGE_SPY_WINDOW"] = "smoke test"
    before = time.time()
    (journal,) = spy.run(app="import os\nprint(os.getpid())").journals
    receipt = journal.receipt
    assert (receipt.service, receipt.window, receipt.refusals) == ("orders", "smoke test", ())
    assert tuple(map(int, receipt.python.split(".")[:2])) == spy.version
    assert before <= receipt.started <= time.time()


def test_malformed_settings_become_refusals(newest):
    nobodys = f"{newest.data}/.coverage.a b"
    run = newest.run(app="x = 1", environment={"COVERAGE_BRANCH": "perhaps", "COVERAGE_FILE": nobodys})
    assert run.journals[0].receipt.refusals == (
        Refusal("service-name", (nobodys,)),
        Refusal("switch", ("COVERAGE_BRANCH", "perhaps")),
    )
    assert run.lines() == {1}


def test_source_and_omit_limit_what_is_recorded(newest):
    for directory in ("in", "out", "in/left"):
        (newest.directory / directory).mkdir()
        (newest.directory / directory / "__init__.py").write_text("x = 1\n")
    run = newest.run(
        "-c",
        "import sys; sys.path[:0] = ['in', 'out']; import importlib; importlib.import_module('left')\n"
        "exec(compile('y = 1', 'in/late.py', 'exec'))\nexec(compile('y = 1', 'out/late.py', 'exec'))",
        environment={"COVERAGE_SOURCE": f"{newest.directory}/in", "COVERAGE_OMIT": "*/left/*"},
    )
    recorded = {path for journal in run.journals for path in journal.lines}
    assert recorded == {f"{newest.directory}/in/late.py"}


def test_without_a_source_installed_packages_and_the_standard_library_stay_out(newest):
    del newest.environment["COVERAGE_SOURCE"]
    run = newest.run(app="import json, pip\nprint(json.dumps(1))")
    assert {path for journal in run.journals for path in journal.lines} == {str(newest.directory / "app.py")}


def test_scripts_of_a_virtual_environment_inside_the_source_stay_out(newest):
    environment = newest.directory / ".venv"
    newest.run("-m", "venv", "--without-pip", str(environment))
    (environment / "bin" / "serve").write_text("import app\n")
    newest.write(app="x = 1")
    for source, recorded in ((newest.directory, {"app.py"}), (environment / "bin", {"serve"})):
        for journal in newest.data.iterdir():
            journal.unlink()
        result = subprocess.run(
            [environment / "bin" / "python", environment / "bin" / "serve"],
            env={**newest.environment, "PYTHONPATH": f"{SPY}:{newest.directory}", "COVERAGE_SOURCE": str(source)},
        )
        run = newest.read(result, {})
        assert {Path(path).name for journal in run.journals for path in journal.lines} == recorded


def test_files_carry_size_and_crc_of_their_source(spy):
    import zlib

    run = spy.run(app=PROGRAM)
    (digest,) = run.journals[0].files.values()
    source = run.sources["app.py"].encode()
    assert digest == (len(source), zlib.crc32(source))


@pytest.mark.parametrize("branch", ["false", "true"])
@pytest.mark.parametrize("imported", ["late", "early"])
def test_all_threads_are_recorded(spy, branch, imported):
    spy.environment["COVERAGE_BRANCH"] = branch
    if imported == "early":  # what a .pth of the site directory does
        early = spy.directory / "early"
        early.mkdir()
        (early / "sitecustomize.py").write_text(
            f"import sys, threading\nsys.path.remove({str(early)!r})\nsys.path.insert(0, {str(SPY)!r})\n"
            "del sys.modules['sitecustomize']\nimport sitecustomize\n"
        )
        spy.environment["PYTHONPATH"] = str(early)
    run = spy.run(
        app="""
        import _thread, threading, time  # runs
        done = threading.Event()  # runs
        def native():  # runs
            done.set()  # runs
        def body():  # runs
            time.sleep(0)  # runs
        thread = threading.Thread(target=body)  # runs
        thread.start()  # runs
        thread.join()  # runs
        _thread.start_new_thread(native, ())  # runs
        done.wait(600)  # runs
        print(threading.active_count())  # runs
        """
    )
    assert run.result.stdout == "1\n"
    assert run.executed() == run.marked()


def test_relative_script_and_changed_directory(spy):
    (spy.directory / "elsewhere").mkdir()
    run = spy.run(
        app="import os  # runs\nos.chdir('elsewhere')  # runs\ndef f():  # runs\n    pass  # runs\nf()  # runs"
    )
    assert {path for journal in run.journals for path in journal.lines} == {str(spy.directory / "app.py")}
    assert run.lines() == run.marked()


WORKER = """
    import sys, time  # runs
    def work(n):  # runs
        return n + 1  # runs
    n = 0  # runs
    while n < 10**9:  # runs
        n = work(n)  # runs
        time.sleep(0.01)  # runs
        print("passed", flush=True)  # runs
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_killed_process_loses_nothing(spy, number):
    sources = spy.write(app=WORKER)
    with spy.start() as process:
        assert process.stdout.readline() == "passed\n"
        if spy.engine == "tracer":  # writes from a thread, in a moment
            run = spy.read(None, sources)
            assert eventually(lambda: spy.read(None, sources).lines() == run.marked())
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
    run = spy.read(None, sources)
    assert run.lines() == run.marked()
    assert not run.journals[0].ended


def test_killed_at_once_loses_nothing_where_lines_are_written_through(monitored):
    run = monitored.run(
        app="""
        import os, signal  # runs
        os.kill(os.getpid(), signal.SIGKILL)  # runs
        """,
        check=-signal.SIGKILL,
    )
    assert run.lines() == run.marked()


@pytest.mark.parametrize("end", ["os._exit(3)", "sys.exit(3)"])
def test_every_orderly_end_is_complete(spy, end):
    run = spy.run(app=f"import os, sys  # runs\ndef leave():  # runs\n    {end}  # runs\nleave()  # runs", check=3)
    assert run.lines() == run.marked()
    assert run.journals[0].ended == (spy.engine == "tracer")


def test_branches_are_recorded_as_arcs_on_every_version(spy):
    spy.environment["COVERAGE_BRANCH"] = "true"
    run = spy.run(app=PROGRAM)
    (arcs,) = run.journals[0].arcs.values()
    assert run.journals[0].receipt.branch
    assert (3, 4) in arcs
    assert (3, 5) not in arcs
    assert {end for _, end in arcs if end > 0} == run.marked()


@pytest.mark.parametrize("branch", ["false", "true"])
@pytest.mark.parametrize(
    ("what", "rivals"),
    [
        ("sys.settrace(None)", 0),
        ("sys.settrace(lambda *_: None); sys.settrace(None); print('taken', flush=True); time.sleep(600)", 1),
        ("t = threading.Thread(target=sys.settrace, args=(None,)); t.start(); t.join()", 0),
        ("t = threading.Thread(target=sys.settrace, args=(lambda *_: None,)); t.start(); t.join()", 1),
        ("sys.settrace(lambda *_: None); os.fork() and os.wait()", 2),
        ("ctypes.pythonapi.PyEval_SetTrace(None, None)", 1),
        ("sys.settrace(sys.gettrace())", 0),
        ("sys.setprofile(None)", 0),
    ],
)
def test_trace_function_of_the_applications_is_told_where_it_takes_ours(spy, branch, what, rivals):
    spy.environment["COVERAGE_BRANCH"] = branch
    source = f"import ctypes, os, sys, threading, time\n{what}"
    rivals = rivals if spy.engine == "tracer" else 0

    def count(journals):
        return [journal.receipt.refusals for journal in journals].count((RIVAL,))

    if "sleep" in what:
        spy.write(app=source)
        with spy.start() as process:
            assert process.stdout.readline() == "taken\n"
            assert eventually(lambda: count(spy.read(None, {}).journals) == rivals)
        assert count(spy.read(None, {}).journals) == rivals
    else:
        assert count(spy.run(app=source).journals) == rivals


def test_a_full_journal_is_continued_in_the_next(spy):
    functions = "\n".join(f"def f{n}():\n    return {n}\nf{n}()" for n in range(12_000))
    run = spy.run(app=functions)
    assert run.lines() == set(range(1, 36_001))
    assert len(run.journals) > 1
    assert len({journal.receipt.process for journal in run.journals}) == 1
    assert [journal.receipt.segment for journal in sorted(run.journals, key=lambda j: j.receipt.segment)] == list(
        range(len(run.journals))
    )


def test_a_file_that_is_executed_again_and_again_is_recorded_once(spy):
    run = spy.run(
        app="code = 'x = 1\\ny = 2\\n'\nfor n in range(20_000):\n    exec(compile(code, 'again.py', 'exec'), {})"
    )
    assert run.lines("again.py") == {1, 2}
    assert len(run.journals) == 1


def test_name_that_no_file_can_have_is_left_out(newest):
    run = newest.run(app=f"exec(compile('x = 1', '{newest.directory}/' + 'n' * 70_000, 'exec'))\nprint('runs')")
    assert run.result.stdout == "runs\n"
    assert [set(journal.lines) for journal in run.journals] == [{str(newest.directory / "app.py")}]


def test_remembering_which_lines_ran_takes_little_memory(monitored):
    program = """
        for n in range(100):
            exec(compile("x = 1\\n" * 600, "generated_%d.py" % n, "exec"), {})
        with open("/proc/self/status") as status:
            print(*[line.split()[1] for line in status if line.startswith("RssAnon")])
    """
    measured, plain = (
        int(monitored.run(app=program, environment={"COVERAGE_ENABLE": enable}).result.stdout)
        for enable in ("true", "false")
    )
    assert measured - plain < 2_500  # kB, for 60,000 lines


SHARED = """
    import os  # runs
    for place in ("one", "two"):  # runs
        os.chdir(place)  # runs
        scope = {}  # runs
        exec(compile(open("conf.py").read(), "conf.py", "exec"), scope)  # runs
        os.chdir("..")  # runs
        scope["late"]()  # runs
"""


def test_two_files_that_share_a_relative_name_keep_their_lines_apart_or_are_unknown(spy):
    one, two = "a = 1\ndef late():\n    return 1\n", "\n\n\na = 1\ndef late():\n    return 2\n"
    for name, text in (("one", one), ("two", two)):
        (spy.directory / name).mkdir()
        (spy.directory / name / "conf.py").write_text(text)
    run = spy.run(app=SHARED)
    (journal,) = run.journals
    places = [str(spy.directory / name / "conf.py") for name in ("one", "two")]
    if journal.receipt.engine == "monitor":
        assert [journal.lines[place] for place in places] == [{1, 2, 3}, {4, 5, 6}]
        assert all(journal.files[place] for place in places)
    else:
        assert [journal.files[place] for place in places] == [None, None]
    assert not journal.unreadable
    assert run.lines() >= run.marked()
