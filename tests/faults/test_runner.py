"""The runner can fail: each kind of loss and alteration, in a situation of its own, is found."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from machine import INTERPRETERS, ROOT, number

FAULTS = Path(__file__).resolve().parent
NEWEST = max((version for version in INTERPRETERS if number(version) >= (3, 12)), key=number, default=None)

pytestmark = [
    pytest.mark.skipif(NEWEST is None, reason="there is no Python 3.12 or newer here"),
]

# A measured run has a directory for its data beside the application's.
MEASURED = "import portrait  # runs\nimport os, signal, sys, time; measured = os.path.exists('../data')  # runs\n"
FORK = """import os, time  # runs
if os.fork():  # runs
    print("parent")  # runs
else:
    os.setsid()  # runs
    os.write(os.open({!r}, os.O_APPEND | os.O_WRONLY | os.O_CREAT), b"%d\\n" % os.getpid())  # runs
    os.closerange(0, 100)  # runs
    time.sleep(60)  # runs
"""
CHILD = "import subprocess, sys  # runs\nsubprocess.run([sys.executable, '-S', '-c', 'import child'])  # runs\n"
UNKNOWN = 'unknown = "no site, no spy"'

# app.py, more of situation.toml, what is found
SITUATIONS = [
    ("print('a')  # runs\nif 0:  # runs\n    print('b')  # never\n", "", "spy: ok"),
    ("print('a')  # runs\nif 0:\n    print('b')  # runs\n", "", "app.py:3 ran and is not recorded"),
    ("print('a')  # runs\nprint('b')  # never\n", "", "app.py:2 is recorded and never ran"),
    ("print('a')  # runs\n", f'{UNKNOWN}\ncommand = ["python", "-S", "app.py"]\npth = "not seen"', "spy: reported"),
    (CHILD, UNKNOWN, "nothing says that it was not measured"),
    (MEASURED + "print(measured)", "", "stdout: -False +True"),
    (MEASURED + "print(measured, file=sys.stderr)", "", "stderr: -False +True"),
    (MEASURED + "sys.exit(measured)", "", "exit code 1 for 0"),
    (MEASURED + "time.sleep(9 * measured)", "limit = 2.0", "it hangs"),
    (MEASURED + "print('a', flush=True); time.sleep(0.6 * measured)", "", "stopped after 0."),
    (MEASURED + "time.sleep(1.5 * measured); print('a')", "", "lasted "),
    (MEASURED + "measured and portrait.show()", "", "1 portraits for 0"),
    (MEASURED + "sys.path += ['/nowhere'] * measured; portrait.show()", "", "path: +/nowhere"),
    (MEASURED + "os.environ.update({'A': 'b'} if measured else {}); portrait.show()", "", "environment: +['A', 'b']"),
    (MEASURED + "measured and os.dup(1); portrait.show()", "", "descriptors: 5 for 4"),
    (MEASURED + "kept = bytearray(b'a' * (9 << 20) * measured); portrait.show()", "", "memory: "),
    (MEASURED + "signal.signal(2, signal.SIG_IGN if measured else signal.SIG_DFL); portrait.show()", "", "signals: "),
    (MEASURED + "measured and sys.modules.update(coverage=None); portrait.show()", "", "modules: +coverage"),
    (MEASURED + "measured and sys.setprofile(lambda *a: None); portrait.show()", "", "profile: "),
]


def run(directory):
    """Run the runner on the situations in a directory."""
    return subprocess.run(
        [sys.executable, FAULTS / "runner.py", "--situations", directory, "--python", NEWEST, "--no-coverage"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "scripts", ROOT / "tests", FAULTS)))},
        capture_output=True,
        text=True,
        timeout=120,
    )


def write(directory, app, toml=""):
    directory.mkdir(parents=True)
    (directory / "situation.toml").write_text(f'says = "a test"\n{toml}\n')
    (directory / "app.py").write_text(app)
    (directory / "child.py").write_text("print('child')  # runs\n" if app == CHILD else "")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the runner prints of each situation, all run at once; it has to fail."""
    root = tmp_path_factory.mktemp("situations")
    for index, (app, toml, _) in enumerate(SITUATIONS):
        write(root / "test" / f"n{index}", app, toml)
    result = run(root)
    assert result.returncode == 1, result.stderr
    return dict(re.findall(r"^\S+ +test/n(\d+) (.*(?:\n      .*)*)", result.stdout, re.MULTILINE))


@pytest.mark.parametrize("index", range(len(SITUATIONS)), ids=lambda index: SITUATIONS[index][2])
def test_loss_and_alteration_are_found(found, index):
    text = found[str(index)]
    assert SITUATIONS[index][2] in text
    assert text.count("\n") <= 1  # nothing else is found


def test_situation_without_a_mark_is_refused(tmp_path):
    write(tmp_path / "group" / "name", "print('a')\n")
    assert "no line is marked" in run(tmp_path).stderr


def test_nothing_is_left_behind(tmp_path):
    write(tmp_path / "group" / "name", FORK.format(str(tmp_path / "pids")))
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    assert not any(Path("/proc", pid).exists() for pid in pids)
