"""coverage_spy.pth in a site directory: it reaches what no variable reaches, and is not seen."""

import subprocess

import pytest
from machine import INTERPRETERS, SPY, number
from spy.conftest import MEASURED, TOO_OLD, make_spy

from coverage_tasks.injection.spy import pth_line

LOOK_AROUND = """
    import os, sys
    print(sys.path)
    print(sorted(os.environ.items()))
    print([name for name in sys.modules if "coverage" in name])
    print(sys.modules.get("sitecustomize"))
    print(sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else [])
"""


class Injected:
    """A virtual environment of one interpreter, with the line in its site directory."""

    def __init__(self, version, directory):
        self.spy = make_spy(version, directory)
        self.version = version
        subprocess.run([self.spy.python, "-m", "venv", "--without-pip", directory / "venv"], check=True)
        self.spy.python = str(directory / "venv/bin/python")
        self.site = directory / f"venv/lib/python{version}/site-packages"
        self.given = {name: value for name, value in self.spy.environment.items() if name.startswith("COVERAGE")}
        self.spy.environment = {}
        self.inject(self.site)

    def inject(self, site, name="coverage_spy.pth", spy=SPY):
        (site / name).write_text(pth_line(self.given).replace("/coverage-spy", str(spy)))


@pytest.fixture(params=MEASURED)
def injected(request, tmp_path):
    return Injected(request.param, tmp_path)


@pytest.fixture
def newest_injected(tmp_path):
    return Injected(max(MEASURED, key=number), tmp_path)


@pytest.mark.parametrize("options", [(), ("-E",), ("-I",), ("-B", "-s")], ids=" ".join)
def test_measures_without_any_variable(injected, options):
    run = injected.spy.run(*options, "app.py", app="x = 1  # runs\nif x > 1:  # runs\n    x = 2\n")
    assert run.lines() == run.marked()
    assert [journal.receipt.service for journal in run.journals] == ["orders"]
    assert run.journals[0].receipt.engine == injected.spy.engine


def test_nothing_of_it_is_seen(injected):
    with_spy = injected.spy.run(app=LOOK_AROUND)
    assert with_spy.journals
    (injected.site / "coverage_spy.pth").unlink()
    without = injected.spy.run(app=LOOK_AROUND)
    assert with_spy.result.stdout == without.result.stdout
    assert with_spy.result.stderr == without.result.stderr == ""


def test_children_need_no_variable_and_get_none(injected):
    run = injected.spy.run(
        app="""
            import os, subprocess, sys
            os.environ["PYTHONPATH"] = "/nowhere"
            for environment in (None, {}, {"A": "1"}):
                subprocess.run([sys.executable, "-I", "child.py"], env=environment, check=True)
            print(subprocess.run(["env"], env={"A": "1"}, stdout=subprocess.PIPE).stdout.decode())
            sys.stdout.flush()
            os.execve(sys.executable, [sys.executable, "child.py"], {})  # runs
        """,
        child="x = 1  # runs\n",
    )
    assert run.lines("child.py") == {1}
    assert len(run.journals) == 5
    assert run.result.stdout == "A=1\n\n"
    assert run.marked() <= run.lines()


def test_environment_with_the_switch_has_the_last_word(injected):
    assert not injected.spy.run(app="x = 1", environment={"COVERAGE_ENABLE": "false"}).journals
    (injected.spy.directory / "other").mkdir()
    other = {"COVERAGE_ENABLE": "true", "COVERAGE_FILE": f"{injected.spy.directory}/other/.coverage.catalog"}
    run = injected.spy.run(app=LOOK_AROUND, environment=other)
    assert not run.journals
    assert "COVERAGE" not in run.result.stdout
    assert len(list((injected.spy.directory / "other").iterdir())) == 1
    # An application may have a COVERAGE_FILE for a purpose of its own.
    assert injected.spy.run(app="x = 1", environment={"COVERAGE_FILE": "/nowhere/x"}).journals


@pytest.mark.parametrize("spy", ["/nowhere", "broken"])
def test_line_is_silent_without_a_spy_that_works(injected, spy):
    injected.inject(injected.site, spy=injected.spy.directory / "broken" if spy == "broken" else spy)
    (injected.spy.directory / "broken/coverage_spy").mkdir(parents=True)
    (injected.spy.directory / "broken/coverage_spy/__init__.py").write_text("1 / 0\n")
    run = injected.spy.run(app=LOOK_AROUND)
    assert not run.journals
    assert spy not in run.result.stdout
    assert not run.result.stderr


def test_starts_once_where_several_ways_lead_to_the_spy(injected):
    injected.inject(injected.site, "second.pth")
    assert len(injected.spy.run(app="x = 1").journals) == 1
    mounted = {**injected.given, "PYTHONPATH": str(SPY)}
    for journal in injected.spy.data.iterdir():
        journal.unlink()
    run = injected.spy.run(app=LOOK_AROUND, environment=mounted)
    assert len(run.journals) == 1
    assert "COVERAGE" not in run.result.stdout
    assert str(SPY) not in run.result.stdout


def test_sitecustomize_and_later_lines_run_as_ever(newest_injected):
    site = newest_injected.site
    look = "from importlib.util import find_spec; print(find_spec('sitecustomize') is not None)"
    has_own = newest_injected.spy.run("-S", "-c", look).result.stdout == "True\n"  # as Debian's has; it comes first
    for journal in newest_injected.spy.data.iterdir():
        journal.unlink()
    (site / "sitecustomize.py").write_text("print('sitecustomize')\n")
    (site / "usercustomize.py").write_text("print('usercustomize')\n")
    (site / "zz.pth").write_text("import sys; print('zz')\n")
    with_spy = newest_injected.spy.run(app="print('app')")
    said = with_spy.result.stdout.split()
    assert said[-2:] == ["zz", "app"] if has_own else said[-3:] == ["zz", "sitecustomize", "app"]
    assert len(with_spy.journals) == 1
    (site / "coverage_spy.pth").unlink()
    assert newest_injected.spy.run(app="print('app')").result.stdout == with_spy.result.stdout


@pytest.mark.parametrize("version", TOO_OLD)
def test_interpreter_that_is_too_old_runs_unharmed_and_says_so(version, tmp_path):
    spy = make_spy(version, tmp_path)
    given = {name: value for name, value in spy.environment.items() if name.startswith("COVERAGE")}
    site = tmp_path / f"home/.local/lib/python{version}/site-packages"
    site.mkdir(parents=True)
    (site / "coverage_spy.pth").write_text(pth_line(given).replace("/coverage-spy", str(SPY)))
    spy.environment = {"HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    run = spy.run(app="import sys\nprint('coverage_spy' in sys.modules)")
    assert run.result.stdout == "False\n"
    assert not run.result.stderr
    assert [journal.receipt.engine for journal in run.journals] == ["none"]


def test_line_is_one_line_of_ascii_whatever_the_settings():
    given = {"COVERAGE_SOURCE": '/srv/b\u00fccher\'s "new"\n', "COVERAGE_ENABLE": "true"}
    line = pth_line(given)
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.startswith("import ")
    names: dict = {}
    exec(line.partition("exec(")[0], names)
    assert names["given"] == given


def test_line_parses_on_every_interpreter(tmp_path):
    (tmp_path / "line.py").write_text((SPY / "coverage_spy.pth").read_text())
    for python in INTERPRETERS.values():
        subprocess.run([python, tmp_path / "line.py"], check=True, env={}, capture_output=True)
