"""Trace functions of the application's own: they work as without the spy, and the tracer comes back after them."""

import subprocess

import pytest
from machine import INTERPRETERS, SPY
from spy.conftest import make_spy

TRACED = [version for version in ("3.8", "3.9", "3.10", "3.11") if version in INTERPRETERS]
HELPERS = """
import sys

def quiet(frame, event, argument):
    return quiet

def never(flag):  # runs
    if flag:  # runs
        return 1
    return 2  # runs
"""


@pytest.fixture(params=TRACED)
def traced(request, tmp_path):
    return make_spy(request.param, tmp_path)


@pytest.mark.parametrize("branch", ["false", "true"])
@pytest.mark.parametrize("commands", ["c\n", "n\nn\nn\nn\nc\n", "u\nd\ns\nc\n", "b after\nc\nclear 1\nc\n", "q\n"])
def test_breakpoint_stops_and_goes_on_as_without_the_spy(spy, commands, branch):
    if (branch, spy.version) == ("false", (3, 13)):
        pytest.skip("CPython 3.13.0 stops a line later under any tool of sys.monitoring")
    spy.environment["COVERAGE_BRANCH"] = branch
    sources = spy.write(
        app="""
        import helpers
        def work():
            a = 1
            breakpoint()
            b = helpers.never(0)
            return a + b
        def after():
            return 3
        print(work(), after())
        print(helpers.never(0))
        """,
        helpers=HELPERS,
    )
    spy.environment["PYTHONUNBUFFERED"] = "1"

    def outcome(enable):
        environment = {**spy.environment, "COVERAGE_ENABLE": enable}
        command = [spy.python, "app.py"]
        result = subprocess.run(
            command, cwd=spy.directory, env=environment, input=commands, capture_output=True, text=True
        )
        return result.returncode, result.stdout, result.stderr

    assert outcome("true") == outcome("false")
    run = spy.read(None, sources)
    assert 8 not in run.executed("helpers.py")


def test_after_a_breakpoint_all_is_recorded(traced):
    run = traced.run(
        app="""
        import pdb, io  # runs
        def work():  # runs
            debugger = pdb.Pdb(stdin=io.StringIO("c\\n"), stdout=io.StringIO(), nosigint=True, readrc=False)  # runs
            debugger.set_trace()  # runs
            a = 1
            return a + after()  # runs
        def after():  # runs
            for n in range(2):  # runs
                n += 1  # runs
            return n  # runs
        def unused():  # runs
            return after()
        work()  # runs
        print(after())  # runs
        """
    )
    assert run.lines() - {5} == run.marked()


# What clears the trace function, where it is called, and what sets it.
CLEARED = {
    "in the same frame": "sys.settrace(helpers.quiet); sys.settrace(None)",
    "with nothing set": "sys.settrace(None)",
    "in a frame below": "sys.settrace(helpers.quiet); helpers.clear()",
    "set in a frame below": "helpers.set_quiet(); sys.settrace(None)",
    "by a callback at a line": "helpers.clear_at('line')",
    "by a callback at a call": "helpers.clear_at('call')",
    "by a callback at a return": "helpers.clear_at('return')",
    "by a callback at an exception": "helpers.clear_at('exception')",
    "by a callback with any arguments": "helpers.clear_at('line', lambda *a: helpers.callback(*a))",
    "in an exec": "exec('import sys; sys.settrace(lambda *_: None); sys.settrace(None)')",
    "in a generator": "made = helpers.generator(); next(made); next(made)",
    "twice": "sys.settrace(helpers.quiet); sys.settrace(None); sys.settrace(helpers.quiet); sys.settrace(None)",
    "what was there before": "before = sys.gettrace(); sys.settrace(helpers.quiet); sys.settrace(before)",
}
MORE_HELPERS = """
def clear():
    sys.settrace(None)

def set_quiet():
    sys.settrace(quiet)

def generator():
    sys.settrace(quiet)
    yield 1
    sys.settrace(None)
    yield 2

EVENT = ["line"]

def callback(frame, event, argument):
    if frame.f_code.co_name == "fails" and event == EVENT[0]:
        below()
    return callback

def below():
    sys.settrace(None)

def fails():
    try:
        raise ValueError
    except ValueError:
        pass

def clear_at(event, function=callback):
    EVENT[0] = event
    sys.settrace(function)
    fails()
    sys.settrace(None)
"""


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("how", CLEARED.values(), ids=CLEARED)
def test_lines_after_a_trace_function_was_cleared_are_recorded_and_no_others(traced, how, thread):
    start = "threading.Thread(target=outer).start()" if thread else "outer()"
    run = traced.run(
        app=f"""
        import sys, threading, helpers, other  # runs
        def inner():  # runs
            {how}
            other.two()  # runs
            x = 1  # runs
            if x > 1:  # runs
                x = 2
            return x  # runs
        def unused():  # runs
            return 1
        def outer():  # runs
            inner()  # runs
            for n in range(3):  # runs
                other.two()  # runs
            return [other.two() for _ in range(2)]  # runs
        {start}  # runs
        print(sys.gettrace())  # runs
        """,
        helpers=HELPERS + MORE_HELPERS,
        other="""
        def one():  # runs
            return 1  # runs
        def two():  # runs
            if one() > 1:  # runs
                return 3
            return one()  # runs
        def unused():  # runs
            return 1
        """,
    )
    assert (run.result.stdout, run.result.stderr) == ("None\n", "")
    assert run.lines() - {3} == run.marked()
    assert run.lines("other.py") == run.marked("other.py")


def test_the_tracer_is_not_shown(spy):
    spy.environment["COVERAGE_BRANCH"] = "true"
    run = spy.run(
        app="""
        import sys, threading
        print(sys.gettrace())
        def mine(*_):
            return None
        sys.settrace(mine)
        print(sys.gettrace() is mine)
        sys.settrace(None)
        print(sys.gettrace())
        threading.Thread(target=lambda: print(sys.gettrace())).start()
        """
    )
    assert run.result.stdout.split() == ["None", "True", "None", "None"]


def test_settrace_refuses_what_it_refuses_without_the_spy(spy):
    program = """
        import sys
        for arguments in ((), (None, None), (1, 2)):
            try:
                sys.settrace(*arguments)
            except TypeError as error:
                print(error)
        try:
            sys.settrace(function=None)
        except TypeError as error:
            print(error)
    """
    with_spy = spy.run(app=program).result
    without = spy.run(app=program, environment={"COVERAGE_ENABLE": "false"}).result
    assert (with_spy.stdout, with_spy.stderr) == (without.stdout, without.stderr)


def test_threads_of_a_second_copy_of_the_thread_module_are_measured(spy):
    run = spy.run(
        app="""
        import sys  # runs
        ours = sys.modules.pop("_thread")  # runs
        import _thread as fresh  # runs
        sys.modules["_thread"] = ours  # runs
        def body():  # runs
            x = 1  # runs
            done.release()  # runs
        done = fresh.allocate_lock(); done.acquire()  # runs
        fresh.start_new_thread(body, ())  # runs
        done.acquire()  # runs
        """
    )
    assert run.lines() == run.marked()


def test_interpreter_that_is_a_debug_build_loads_the_tracer_of_others(traced):
    # Such a build differs in this: the first suffix is its own, and those of the others follow.
    traced.write(sitecustomize="from importlib import machinery\nmachinery.EXTENSION_SUFFIXES.insert(0, '.debug.so')\n")
    start = f"import sys; sys.path.insert(0, {str(SPY)!r}); import sitecustomize, runpy; sys.argv = ['app.py']; "
    again = f"exec(open({str(SPY / 'sitecustomize.py')!r}).read(), {{'__file__': {str(SPY / 'sitecustomize.py')!r}}}); "
    traced.environment["PYTHONPATH"] = str(traced.directory)
    run = traced.run("-c", start + again + "runpy.run_path('app.py')", app="x = 1  # runs\nprint(x)  # runs")
    assert run.lines() == run.marked()
    assert run.journals[0].receipt.refusals == ()


def test_names_that_never_end_take_no_memory(traced):
    run = traced.run(
        app="""
        def grow(first):
            for n in range(first, first + 60_000):
                exec(compile("x = 1", "<made %d>" % n, "exec"), {})
            with open("/proc/self/status") as status:
                return [int(line.split()[1]) for line in status if line.startswith("RssAnon")][0]
        grow(0)
        before = grow(60_000)
        print(grow(120_000) - before, grow(180_000) - before)
        """
    )
    assert max(map(int, run.result.stdout.split())) < 4_000  # kB, for 120,000 names
