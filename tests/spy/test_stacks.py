"""The stack is as it would be without the spy: nothing of ours in it, and as deep as it may get."""

import pytest


def same_without(spy, program):
    """Run a program with the spy and without; both print the same. Return the run with the spy."""
    run = spy.run(app=program)
    plain = spy.run(app=program, environment={"COVERAGE_ENABLE": "false"})
    assert (run.result.stdout, run.result.stderr) == (plain.result.stdout, plain.result.stderr)
    assert run.lines() == run.marked()
    return run


@pytest.mark.parametrize("started_by", ["threading.Thread(target=body).start()", "_thread.start_new_thread(body, ())"])
def test_thread_sees_its_own_frames_only(spy, started_by):
    run = same_without(
        spy,
        f"""
        import _thread, sys, threading, time, traceback  # runs
        done = threading.Event()  # runs
        def body():  # runs
            time.sleep(0.15)  # runs
            traceback.print_stack()  # runs
            print(len(sys._current_frames()))  # runs
            print(len(getattr(sys, "_current_exceptions", sys._current_frames)()))  # runs
            done.set()  # runs
        {started_by}  # runs
        done.wait()  # runs
        """,
    )
    assert run.result.stdout == "2\n2\n"


def test_exception_in_a_thread_is_reported_as_that_of_its_function(spy):
    same_without(
        spy,
        """
        import _thread, sys  # runs
        told = _thread.allocate_lock()  # runs
        told.acquire()  # runs
        def tell(unraisable):  # runs
            sys.__unraisablehook__(unraisable)  # runs
            told.release()  # runs
        sys.unraisablehook = tell  # runs
        class Body:  # runs
            def __repr__(self):  # runs
                return "body"  # runs
            def __call__(self):  # runs
                raise ValueError("wanted")  # runs
        _thread.start_new_thread(Body(), ())  # runs
        told.acquire()  # runs
        """,
    )


@pytest.mark.parametrize(
    "call",
    ["os.kill(2**22 + 1, 0)", "os.kill()", "os.execv('/nowhere', ['x'])", "os._exit()", "signal.raise_signal(1000)"],
)
def test_traceback_of_a_function_that_we_stand_in_for_is_the_applications(spy, call):
    same_without(
        spy,
        f"""
        import os, signal, traceback  # runs
        try:  # runs
            {call}  # runs
        except (OSError, TypeError, ValueError):  # runs
            traceback.print_exc()  # runs
        """,
    )


def test_lines_after_a_recursion_error_are_of_the_file_that_ran(spy):
    run = spy.run(
        app="""
        import deep  # runs
        def go():  # runs
            try:  # runs
                deep.descend()  # runs
            except RecursionError:  # runs
                print("caught")  # runs
        go()  # runs
        """,
        deep="def descend():  # runs\n    return descend()  # runs\n\n\ndef unused():  # runs\n    return 1\n\n\n",
    )
    assert run.result.stdout == "caught\n"
    if spy.version >= (3, 9):  # docs/limits.md says what the tracer makes of it in 3.8
        assert run.lines() == run.marked()
        assert run.lines("deep.py") == run.marked("deep.py")


@pytest.mark.parametrize("branch", ["false", "true"])
def test_recursion_through_files_never_seen_before_can_be_caught(spy, branch):
    spy.environment["COVERAGE_BRANCH"] = branch
    run = spy.run(
        app="""
        import types
        def f(n):
            return functions[n + 1](n + 1)
        functions = [
            types.FunctionType(f.__code__.replace(co_filename="new_%d.py" % n), globals()) for n in range(1100)
        ]
        for _ in range(2):
            try:
                functions[0](0)
            except RecursionError:
                print("caught")
        """
    )
    assert (run.result.stdout, run.result.stderr) == ("caught\ncaught\n", "")
    assert run.executed("new_900.py") == {3}
