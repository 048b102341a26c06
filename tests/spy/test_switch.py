"""COVERAGE_ENABLE, and the sitecustomize that ours stands in front of."""

import ast
import compileall
import subprocess

import pytest
from machine import INTERPRETERS, SPY

from coverage_tasks.recorded.journals import Refusal

LOOK_AROUND = """
    import os, sys
    print(sys.path)
    print(sorted(name for name in os.environ if name.startswith(("COVERAGE", "PYTHON"))))
    print(sys.modules.get("sitecustomize"))
    print([name for name in sys.modules if "coverage" in name])
    print(sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else [])
"""


@pytest.mark.parametrize("value", ["", "false", "0", "no", "off", "maybe"])
def test_records_nothing_unless_switched_on(newest, value):
    run = newest.run(app="x = 1", environment={"COVERAGE_ENABLE": value})
    assert not run.journals
    assert not list(newest.data.iterdir())


@pytest.mark.parametrize("value", ["true", "1", "yes", "on", "TRUE", " On "])
def test_is_switched_on_in_any_case(newest, value):
    assert newest.run(app="x = 1  # runs", environment={"COVERAGE_ENABLE": value}).lines() == {1}


def test_application_sees_what_it_would_see_without_the_spy(spy):
    with_spy = spy.run(app=LOOK_AROUND).result
    bare = {name: value for name, value in spy.environment.items() if not name.startswith("COVERAGE")}
    del bare["PYTHONPATH"]
    without = subprocess.run(
        [spy.python, "app.py"], cwd=spy.directory, env=bare, capture_output=True, text=True, check=True
    )
    assert with_spy.stdout == without.stdout
    assert with_spy.stderr == without.stderr


def test_other_entries_of_pythonpath_stay(spy):
    other = spy.directory / "other"
    other.mkdir()
    spy.environment["PYTHONPATH"] = f"{SPY}:{other}"
    run = spy.run(app="import os, sys\nprint(os.environ['PYTHONPATH'], sys.path[1])")
    assert run.result.stdout.split() == [str(other), str(other)]


@pytest.mark.parametrize("switch", ["true", "false"])
@pytest.mark.parametrize("version", INTERPRETERS)
def test_shadowed_sitecustomize_runs(version, switch, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("print('shadowed: ' + __name__)\nvalue = 7\n")
    result = subprocess.run(
        [INTERPRETERS[version], "-c", "import sitecustomize; print(sitecustomize.value, sitecustomize.__file__)"],
        env={
            "PYTHONPATH": f"{SPY}:{tmp_path}",
            "COVERAGE_ENABLE": switch,
            "COVERAGE_FILE": f"{tmp_path}/.coverage.x",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("shadowed: sitecustomize\n")
    assert "7" in result.stdout
    assert str(tmp_path) in result.stdout
    assert not result.stderr


def test_exception_of_the_shadowed_sitecustomize_is_reported_as_ever(spy):
    (spy.directory / "shadowed").mkdir()
    (spy.directory / "shadowed" / "sitecustomize.py").write_text("1 / 0\n")
    shadowed = str(spy.directory / "shadowed")
    without = subprocess.run(
        [spy.python, "-c", "print('runs')"], env={"PYTHONPATH": shadowed}, capture_output=True, text=True
    )
    run = spy.run("-c", "print('runs')", environment={"PYTHONPATH": f"{SPY}:{shadowed}"})
    assert (run.result.stdout, run.result.stderr) == (without.stdout, without.stderr)
    assert "ZeroDivisionError" in run.result.stderr


def test_interpreter_that_is_too_old_runs_unharmed_and_says_so(too_old):
    run = too_old.run(app="import sys\nprint(sys.version_info[:2])")
    assert run.result.stdout.strip() == str(too_old.version)
    assert not run.result.stderr
    (journal,) = run.journals
    assert journal.receipt.engine == "none"
    assert journal.receipt.service == "orders"
    assert journal.receipt.refusals == (Refusal("interpreter"),)


def test_spy_that_cannot_start_leaves_a_receipt_and_the_application_alone(newest, tmp_path):
    broken = tmp_path / "broken"
    (broken / "coverage_spy").mkdir(parents=True)
    (broken / "sitecustomize.py").write_text((SPY / "sitecustomize.py").read_text())
    for module in (SPY / "coverage_spy").glob("*.py"):
        (broken / "coverage_spy" / module.name).write_text(module.read_text())
    (broken / "coverage_spy" / "scope.py").write_text("1 / 0\n")
    run = newest.run(app="print('runs')", environment={"PYTHONPATH": str(broken)})
    assert run.result.stdout == "runs\n"
    assert not run.result.stderr
    assert run.journals[0].receipt.refusals == (Refusal("start", ("ZeroDivisionError: division by zero",)),)


def test_spy_imports_the_standard_library_only():
    import sys

    for file in SPY.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names | {"coverage_spy", "sitecustomize"}, f"{file}: {name}"


def test_spy_compiles_on_every_interpreter_it_runs_on():
    assert compileall.compile_dir(str(SPY), quiet=1)
