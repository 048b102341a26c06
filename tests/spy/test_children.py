"""Child processes of every kind are measured, and see the environment that they would see without the spy."""

import pytest

CHILD = """
    import os, sys  # runs
    def child():  # runs
        return sorted(n for n in os.environ if n.startswith(("COVERAGE", "PYTHONPATH")))  # runs
    print(child())  # runs
"""


def test_forked_children_write_journals_of_their_own(spy):
    run = spy.run(
        app="""
        import os, time  # runs
        def in_child():  # runs
            return 1  # runs
        def in_parent():  # runs
            return 2  # runs
        for n in range(3):  # runs
            pid = os.fork()  # runs
            if not pid:  # runs
                in_child()  # runs
                os._exit(0)  # runs
            os.waitpid(pid, 0)  # runs
        in_parent()  # runs
        """
    )
    assert run.lines() == run.marked()
    processes = {journal.receipt.process: journal.receipt for journal in run.journals}
    assert len(processes) == 4
    (parent,) = [receipt for receipt in processes.values() if not receipt.parent]
    assert all(receipt.parent == parent.process for receipt in processes.values() if receipt is not parent)
    assert len({receipt.pid for receipt in processes.values()}) == 4


def test_killed_fork_loses_nothing(monitored):
    run = monitored.run(
        app="""
        import os, signal  # runs
        pid = os.fork()  # runs
        if not pid:  # runs
            def only_here():  # runs
                os.kill(os.getpid(), signal.SIGKILL)  # runs
            only_here()  # runs
        os.waitpid(pid, 0)  # runs
        """
    )
    assert run.lines() == run.marked()


def test_fork_without_the_hooks_of_python_does_not_write_into_the_parents_journal(monitored):
    run = monitored.run(
        app="""
        import ctypes, os  # runs
        libc = ctypes.PyDLL(None)  # runs
        def in_child():  # runs
            os._exit(0)  # runs
        def in_parent():  # runs
            return 1  # runs
        pid = libc.fork()  # runs
        if pid == 0:  # runs
            in_child()  # runs
        os.waitpid(pid, 0)  # runs
        in_parent()  # runs
        """
    )
    assert run.lines() == run.marked()
    assert len({journal.receipt.process for journal in run.journals}) == 2


def test_process_that_runs_no_measured_file_has_no_thread_of_ours(spy):
    count = "import os; print(len(os.listdir('/proc/self/task')))"
    assert spy.run("-c", count).result.stdout == "1\n"
    spy.environment["COVERAGE_BRANCH"] = "true"
    assert spy.run("-c", count).result.stdout == "1\n"


@pytest.mark.parametrize(
    "call",
    [
        "subprocess.run([sys.executable, 'child.py'])",
        "subprocess.run([sys.executable, 'child.py'], close_fds=False)",
        "subprocess.run([sys.executable, 'child.py'], env={})",
        "subprocess.run([sys.executable, 'child.py'], env={'PYTHONPATH': 'other'})",
        "subprocess.run([sys.executable, 'child.py'], env=os.environ.copy())",
        "os.environ.update(PYTHONPATH='other'); subprocess.run([sys.executable, 'child.py'])",
        "os.system(sys.executable + ' child.py')",
        "os.waitpid(os.posix_spawn(sys.executable, [sys.executable, 'child.py'], {}), 0)",
        "os.spawnve(os.P_WAIT, sys.executable, [sys.executable, 'child.py'], {})",
        "os.execv(sys.executable, [sys.executable, 'child.py'])",
        "os.execve(sys.executable, [sys.executable, 'child.py'], {})",
        "os.execvpe('python-that-is-not-there', ['x'], {}) if 0 else os.execlpe(sys.executable, 'x', 'child.py', {})",
    ],
)
def test_new_interpreters_are_measured(spy, call):
    spy.write(child=CHILD)
    run = spy.run(app=f"import os, subprocess, sys  # runs\ndef start():  # runs\n    {call}  # runs\nstart()  # runs")
    run.sources.update(spy.write(child=CHILD))
    assert run.lines() == run.marked()
    assert run.lines("child.py") == run.marked("child.py")
    assert run.result.stdout.strip() == ("['PYTHONPATH']" if "other" in call else "[]"), run.result.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(spy, method):
    run = spy.run(
        app=f"""
        import multiprocessing  # runs
        def work(n):  # runs
            return n * 2  # runs
        if __name__ == "__main__":  # runs
            context = multiprocessing.get_context("{method}")  # runs
            with context.Pool(2) as pool:  # runs
                print(sum(pool.map(work, range(10))))  # runs
            process = context.Process(target=work, args=(1,))  # runs
            process.start()  # runs
            process.join()  # runs
            print(process.exitcode)  # runs
        """
    )
    assert run.result.stdout.split() == ["90", "0"]
    assert run.lines() == run.marked()


def test_child_that_turns_the_spy_off_is_left_alone(newest):
    newest.write(child=CHILD)
    run = newest.run(
        app="import subprocess, sys\nsubprocess.run([sys.executable, 'child.py'], env={'COVERAGE_ENABLE': 'false'})"
    )
    assert not run.lines("child.py")


def test_what_runs_between_fork_and_exec_is_recorded(spy):
    run = spy.run(
        app="""
        import os, subprocess, sys  # runs
        def before():  # runs
            os.umask(0o22)  # runs
        subprocess.run([sys.executable, "-c", ""], preexec_fn=before)  # runs
        """
    )
    assert run.lines() == run.marked()


@pytest.mark.parametrize(
    "call", ["subprocess.run(command, env={**os.environ, 'COVERAGE_FILE': 'mine'})", "subprocess.run(command)"]
)
def test_child_sees_what_it_is_given_under_a_name_of_ours(spy, call):
    spy.write(child="import os  # runs\nprint(os.environ.get('COVERAGE_FILE'))  # runs")
    run = spy.run(
        app=f"""
        import os, subprocess, sys  # runs
        command = [sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, 'child.py'])"]  # runs
        os.environ["COVERAGE_FILE"] = "mine"  # runs
        {call}  # runs
        """
    )
    assert run.result.stdout == "mine\n"
    assert run.lines("child.py") == {1, 2}
    assert not list(spy.directory.glob("*.journal"))


# Each leaves os.environ as it found it.
TOUCHES = {
    "nothing": "",
    "the same value": "os.environ['PYTHONPATH'] = os.environ['PYTHONPATH']",
    "away and back": "old = os.environ['PYTHONPATH']; os.environ['PYTHONPATH'] = '/no'; os.environ['PYTHONPATH'] = old",
    "as bytes": "os.environb[b'PYTHONPATH'] = os.environb[b'PYTHONPATH']",
    "set and delete": "os.environ['COVERAGE_FILE'] = 'x'; del os.environ['COVERAGE_FILE']",
    "set and delete the switch": "os.environ['COVERAGE_ENABLE'] = 'x'; del os.environ['COVERAGE_ENABLE']",
    "set and delete ours": "os.environ['COVERAGE_SPY_FILE'] = 'x'; os.environ.pop('COVERAGE_SPY_FILE')",
    "delete what is not there": "os.unsetenv('COVERAGE_ENABLE')",
    "patch": "\nwith mock.patch.dict(os.environ, {'SOMETHING': 'else'}): pass",
    "patch and clear": "\nwith mock.patch.dict(os.environ, {}, clear=True): pass",
    "save and restore": "before = dict(os.environ); os.environ.clear(); os.environ.update(before)",
}
STARTS = """
subprocess.run([sys.executable, "child.py"])
os.system(sys.executable + " child.py")
os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "child.py"], os.environ), 0)
os.execv(sys.executable, [sys.executable, "child.py"])
"""


def touch(spy, how):
    spy.environment["PYTHONPATH"] += ":/other"
    spy.write(child=CHILD)
    run = spy.run(app=f"import os, subprocess, sys\nfrom unittest import mock\n{how}\n{STARTS}")
    assert len(run.journals) == 5
    assert {journal.receipt.service for journal in run.journals} == {"orders"}
    assert run.result.stdout == "['PYTHONPATH']\n" * 4


@pytest.mark.parametrize("how", TOUCHES.values(), ids=TOUCHES)
def test_environment_that_was_touched_and_put_back_measures_children_as_ever(spy, how):
    spy.mark()
    touch(spy, how)


@pytest.mark.parametrize("how", TOUCHES.values(), ids=TOUCHES)
def test_so_it_does_where_the_variables_were_set_by_hand(newest, how):
    touch(newest, how)


def test_pythonpath_that_was_set_and_deleted_measures_children_as_ever(spy):
    spy.write(child=CHILD)
    how = "os.environ['PYTHONPATH'] = '/no'\ndel os.environ['PYTHONPATH']"
    run = spy.run(app=f"import os, subprocess, sys\n{how}\n{STARTS}")
    assert len(run.journals) == 5
    assert run.result.stdout == "[]\n" * 4


def test_environment_of_the_c_library_alone_measures_children_too(spy):
    spy.write(child="import os, sys\nprint(os.environ.get('PYTHONPATH'), '/no' in sys.path)")
    run = spy.run(app=f"import os, subprocess, sys\nos.putenv('PYTHONPATH', '/no')\n{STARTS}")
    assert len(run.journals) == 5
    assert run.result.stdout.splitlines() == ["/no True", "/no True", "None False", "/no True"]


@pytest.mark.parametrize("name", ["COVERAGE_FILE", "COVERAGE_SOURCE", "COVERAGE_OMIT", "COVERAGE_BRANCH"])
@pytest.mark.parametrize("in_between", ["{name}=mine exec", "env -u {name}", "export {name}=mine2; {name}=mine"])
def test_variable_that_a_shell_sets_is_the_applications(newest, name, in_between):
    newest.mark()
    look = f"import os; print(os.environ.get('{name}'), [n for n in os.environ if '_SPY_' in n])"
    newest.write(child=look)
    command = f"{in_between.format(name=name)} {newest.python} child.py"
    run = newest.run(
        app=f"""
        import os, subprocess
        os.environ["{name}"] = "parent's"
        for environment in (None, os.environ, {{"PATH": os.environ["PATH"], "{name}": "given"}}):
            subprocess.run(["sh", "-c", "{command}"], env=environment, check=True)
        """
    )
    assert run.result.stdout == ("None []\n" if "-u" in in_between else "mine []\n") * 3
    assert len(run.journals) == 4
    assert run.lines("child.py") == {1}


def test_functions_that_we_stand_in_for_look_and_pickle_as_ever(spy):
    program = """
        import _posixsubprocess, _thread, inspect, os, pickle
        for function in (os.execv, os.execve, os._exit, os.posix_spawn, _thread.start_new_thread):
            print(function.__name__, function.__module__, function.__qualname__, function.__doc__ == function.__doc__)
            assert pickle.loads(pickle.dumps(function)) is function
        print(inspect.signature(os.execve), inspect.signature(os._exit))
    """
    with_spy = spy.run(app=program).result.stdout
    without = spy.run(app=program, environment={"COVERAGE_ENABLE": "false"}).result.stdout
    assert with_spy == without


def test_function_that_we_stand_in_for_is_no_method_where_a_class_keeps_it(spy):
    run = spy.run(
        app="""
        import os  # runs
        class Server:  # runs
            leave = os._exit  # runs
        Server().leave(3)  # runs
        """,
        check=3,
    )
    assert run.lines() == run.marked()


def test_audit_hook_that_forbids_to_open_files_costs_nothing_and_hears_no_complaint(spy):
    run = spy.run(
        app="""
        import sys  # runs
        def refuse(event, args):  # runs
            if event in ("open", "sys.settrace", "mmap.__new__"):
                raise RuntimeError(event)
        sys.addaudithook(refuse)  # runs
        print("runs")  # runs
        """
    )
    assert (run.result.stdout, run.result.stderr) == ("runs\n", "")
    assert run.lines() >= run.marked()


def test_signal_handler_that_raises_gets_its_exception_through(spy):
    run = spy.run(
        app="""
        import signal, time  # runs
        def handler(number, frame):  # runs
            raise TimeoutError("mine")  # runs
        signal.signal(signal.SIGALRM, handler)  # runs
        caught = 0  # runs
        def spin(code):  # runs
            while caught >= 0:  # runs
                exec(code, {})  # runs
        for n in range(200):  # runs
            code = compile("x = 1\\n" * 50, "generated_%d.py" % n, "exec")  # runs
            try:  # runs
                signal.setitimer(signal.ITIMER_REAL, 0.0005)  # runs
                spin(code)  # runs
            except TimeoutError:  # runs
                caught += 1  # runs
        print(caught)  # runs
        """
    )
    assert run.result.stdout == "200\n"
    if spy.engine == "monitor":  # docs/limits.md says what the tracer makes of this
        assert run.lines() == run.marked()
