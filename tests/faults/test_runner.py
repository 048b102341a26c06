"""The runner can fail: each kind of loss and alteration, in a situation of its own, is found."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from machine import INTERPRETERS, ROOT, number
from processes import Outcome, Stage
from verdict import altered

FAULTS = Path(__file__).resolve().parent
NEWEST = max((version for version in INTERPRETERS if number(version) >= (3, 12)), key=number, default=None)

runs_situations = pytest.mark.skipif(NEWEST is None, reason="there is no Python 3.12 or newer here")

# A measured run has a directory for its data beside the application's.
MEASURED = "import portrait  # runs\nimport os, signal, sys, time; measured = os.path.exists('../data')  # runs\n"
FORK = """import os, time  # runs
here, there = os.pipe()  # runs
if os.fork():  # runs
    os.close(there)  # runs
    os.read(here, 1)  # runs
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
        timeout=600,
    )


def write(directory, app, toml=""):
    directory.mkdir(parents=True)
    # However slow this machine is, and however uneven: what time says is tested without a runner.
    (directory / "situation.toml").write_text(f'says = "a test"\nlimit = 600.0\nwaits = 600.0\n{toml}\n')
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


@runs_situations
@pytest.mark.parametrize("index", range(len(SITUATIONS)), ids=lambda index: SITUATIONS[index][2])
def test_loss_and_alteration_are_found(found, index):
    text = found[str(index)]
    assert SITUATIONS[index][2] in text
    assert text.count("\n") <= 1  # nothing else is found


def outcome(stop=0.0, lasted=0.0, code=0):
    return Outcome(code, "", "", [], stop, lasted)


@pytest.mark.parametrize(
    ("plain", "measured", "said"),
    [
        (outcome(stop=1), outcome(stop=1.29), []),
        (outcome(stop=1), outcome(stop=1.31), ["stopped after 1.31 s for 1.00 s"]),
        (outcome(lasted=1), outcome(lasted=2.99), []),
        (outcome(lasted=1), outcome(lasted=3.01), ["lasted 3.01 s for 1.00 s"]),
        (outcome(), outcome(stop=20, lasted=20, code=None), ["it hangs"]),
        (outcome(code=None), outcome(code=None), ["it hangs without being measured, too"]),
    ],
)
def test_what_takes_longer_is_altered(tmp_path, plain, measured, said):
    stage = Stage(tmp_path, tmp_path, 0, "3.12")
    assert altered(plain, measured, stage, 0.0) == said
    if measured.code is not None:
        assert altered(plain, measured, stage, 0.1) == []


RUN = """
import sys
from pathlib import Path
from processes import Stage, run
from situation import Situation
outcome = run(Situation("", ("sh", "-c", sys.argv[1]), limit=float(sys.argv[2])), Stage(*[Path.cwd()] * 2, 0, ""), {})
print(outcome.code, 0 <= outcome.stop < outcome.lasted, outcome.lasted >= 0.6)
"""


@pytest.mark.parametrize(
    ("command", "limit", "found"),
    [
        ("sleep 0.3; echo a; sleep 0.3", 600, "0 True True\n"),
        ("echo a; exec sleep 600", 0.6, "None True True\n"),
    ],
)
def test_time_is_taken_from_the_start_and_from_the_last_output_and_what_hangs_is_ended(tmp_path, command, limit, found):
    (tmp_path / "work").mkdir()
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "tests", FAULTS)))}
    answer = subprocess.run(
        [sys.executable, "-c", RUN, command, str(limit)], cwd=tmp_path, env=environ, capture_output=True, text=True
    )
    assert answer.stdout == found, answer.stderr


@runs_situations
def test_situation_without_a_mark_is_refused(tmp_path):
    write(tmp_path / "group" / "name", "print('a')\n")
    assert "no line is marked" in run(tmp_path).stderr


@runs_situations
def test_nothing_is_left_behind(tmp_path):
    write(tmp_path / "group" / "name", FORK.format(str(tmp_path / "pids")))
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 2
    assert not any(Path("/proc", pid).exists() for pid in pids)
