import json
import os
import signal
import subprocess
import sys

import pytest
from journal_files import Run
from template import tasks

from coverage_tasks.cli import TASKS, main
from coverage_tasks.places import state_directory
from coverage_tasks.project import TOOL
from coverage_tasks.runtimes.procfile import Started, is_alive


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "Procfile").write_text("worker: exec python3 worker.py\n")
    (tmp_path / "worker.py").write_text("import time\ntime.sleep(600)\n")
    yield tmp_path
    if (state_directory(tmp_path) / "stack.json").exists():
        tasks(tmp_path, "down-coverage")


def assert_one_sentence(answer: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert answer.returncode == code, answer.stderr
    lines = [line for line in answer.stderr.splitlines() if line]
    assert len(lines) == 1
    assert lines[0].startswith("coverage-spy: ")
    assert all(word in lines[0] for word in words), lines[0]


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_every_task_has_help(tmp_path, task):
    answer = tasks(tmp_path, task, "--help")
    assert answer.returncode == 0
    assert next(each.help for each in TASKS if each.name == task)[:20] in answer.stdout


@pytest.mark.parametrize("arguments", [[], ["no-such-task"], ["coverage-html", "--no-such-option"]])
def test_wrong_usage_is_2(tmp_path, arguments):
    answer = tasks(tmp_path, *arguments)
    assert answer.returncode == 2
    assert answer.stderr.startswith("usage: python -m coverage_tasks ")


def test_arguments_may_follow_two_dashes_for_just_as_for_nox(tmp_path):
    assert tasks(tmp_path, "coverage-doctor", "--", "--help").stdout.startswith("usage: ")
    assert tasks(tmp_path, "coverage", "--", "--build", "--help").stdout.startswith("usage: ")


def test_every_usage_line_is_one_that_was_typed(tmp_path):
    """As a session or a recipe says, whose own the words before the arguments are."""
    for usage in ("nox -s spy-coverage-html --", "just spy coverage-html"):
        asked = tasks(tmp_path, "coverage-html", "--help", COVERAGE_SPY_USAGE=usage)
        assert asked.stdout.startswith(f"usage: {usage} [-h] ")
        wrong = tasks(tmp_path, "coverage-html", "--no-such-option", COVERAGE_SPY_USAGE=usage)
        assert wrong.returncode == 2
        assert wrong.stderr.startswith(f"usage: {usage} [-h] ")
        assert wrong.stderr.endswith(f"\n{usage}: error: unrecognized arguments: --no-such-option\n")
    assert "python -m" not in asked.stdout + wrong.stderr


@pytest.mark.parametrize("task", ["up-coverage", "coverage-report", "coverage-clean", "analyze-coverage"])
def test_nothing_to_run_is_one_sentence(tmp_path, task):
    assert_one_sentence(tasks(tmp_path, task, COVERAGE_SPY_RUNTIME="auto"), 1, "neither", str(tmp_path), "Procfile")


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("coverage-save main", 1),
        ("coverage-baseline", 1),
        ("coverage-check", 2),
        ("coverage-compare .", 1),
        ("coverage-compare worker.py", 1),
        ("coverage-runs union .coverage .", 2),
    ],
)
def test_what_needs_a_run_says_so_in_one_sentence(repository, task, code):
    assert_one_sentence(tasks(repository, *task.split()), code)


def test_older_combined_run_is_not_taken(repository):
    for task in ("up-coverage", "down-coverage", "coverage-combine", "coverage-save"):
        assert tasks(repository, task, *(["first"] if task == "coverage-save" else [])).returncode == 0
    assert tasks(repository, "up-coverage").returncode == 0
    for task in ("coverage-check", "coverage-save second", "coverage-compare first"):
        answer = tasks(repository, *task.split())
        assert "nothing has been combined since the services were started" in answer.stderr


@pytest.mark.parametrize(
    "task", ["coverage --before RUN -- true", "coverage-html --before RUN", "coverage-report --before RUN"]
)
def test_missing_run_to_compare_writes_nothing(repository, task):
    for first in ("up-coverage", "down-coverage"):
        assert tasks(repository, first).returncode == 0
    before = {path: path.stat().st_mtime_ns for path in repository.rglob("*")}
    answer = tasks(repository, *task.replace("RUN", "mian").split())
    assert_one_sentence(answer, 2, "neither a run nor a file mian")
    assert answer.stderr == tasks(repository, "coverage-compare", "mian", ".").stderr
    assert {path: path.stat().st_mtime_ns for path in repository.rglob("*")} == before


def test_the_portal_compares_with_what_was_combined_last(repository):
    page = repository / "htmlcov" / "portal.before.html"
    assert tasks(repository, "coverage", "--", "true").returncode == 0
    assert not page.exists()
    assert tasks(repository, "coverage", "--before", ".", "--", "true").returncode == 0
    assert "What changed from <bdi>.</bdi> to the present run." in page.read_text()
    assert tasks(repository, "coverage-html").returncode == 0
    assert not page.exists()
    assert tasks(repository, "coverage-report", "--before", ".coverage").returncode == 0
    assert page.exists()


@pytest.mark.parametrize("task", ["coverage", "test-with-coverage"])
def test_no_test_command_names_the_setting(repository, task):
    assert_one_sentence(
        tasks(repository, task), 2, f"say `python -m coverage_tasks {task} COMMAND`", "COVERAGE_SPY_TEST"
    )


def test_command_line_beats_environment_beats_file(repository):
    (repository / "coverage-spy.yml").write_text("test: sh -c 'exit 3'\n")
    assert tasks(repository, "up-coverage", COVERAGE_SPY_TEST="").returncode == 0
    assert tasks(repository, "test-with-coverage", COVERAGE_SPY_TEST="").returncode == 3
    assert tasks(repository, "test-with-coverage", COVERAGE_SPY_TEST="sh -c 'exit 4'").returncode == 4
    assert (
        tasks(repository, "test-with-coverage", "--", "sh", "-c", "exit 5", COVERAGE_SPY_TEST="false").returncode == 5
    )


def test_quotes_that_do_not_close_are_one_sentence(repository):
    answer = tasks(repository, "coverage", COVERAGE_SPY_TEST="pytest 'a")
    assert_one_sentence(answer, 2, "COVERAGE_SPY_TEST", "quotes")


def test_stack_comes_down_and_data_go_away_whatever_the_file_says(repository):
    assert tasks(repository, "up-coverage").returncode == 0
    (repository / "coverage-spy.yml").write_text("tests: pytest\n")
    assert_one_sentence(tasks(repository, "coverage-report", "-q"), 1, "coverage-spy.yml, line 1", "did you mean test?")
    assert tasks(repository, "down-coverage").returncode == 0
    assert tasks(repository, "coverage-clean").returncode == 0


def test_command_that_does_not_exist_is_127_and_starts_nothing(repository):
    assert_one_sentence(tasks(repository, "coverage", "--", "no-such-command"), 127, "no-such-command")
    assert not state_directory(repository).exists()


def test_needs_a_running_stack(repository):
    assert_one_sentence(tasks(repository, "test-with-coverage", "--", "true"), 1, "up-coverage")
    assert_one_sentence(tasks(repository, "ensure-services-ready"), 1, "up-coverage")


def test_state_directory_that_cannot_be_written(repository, tmp_path_factory):
    state = tmp_path_factory.mktemp("states") / "state"
    state.write_text("in the way")
    task = tasks(repository, "up-coverage", "-q", COVERAGE_SPY_STATE=str(state))
    assert_one_sentence(task, 1, "COVERAGE_SPY_STATE", str(state))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -9 $$"], 137),
        (["test", "a b", "=", "a b"], 0),
        (["sh", "-c", "test $# = 2", "sh", "--", "-q"], 0),
    ],
)
def test_exit_code_of_the_command_is_kept(repository, command, code):
    assert tasks(repository, "up-coverage").returncode == 0
    assert tasks(repository, "test-with-coverage", "--", *command).returncode == code
    assert tasks(repository, "test-with-coverage", *command).returncode == code


def test_clean_refuses_while_a_stack_is_up(repository):
    tasks(repository, "up-coverage")
    assert_one_sentence(tasks(repository, "coverage-clean"), 1, "down-coverage")
    tasks(repository, "down-coverage")
    assert tasks(repository, "coverage-clean").returncode == 0
    assert sorted(path.name for path in repository.iterdir()) == ["Procfile", "worker.py"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_run_stops_its_services(repository, number, code):
    run = subprocess.Popen(
        [sys.executable, "-m", "coverage_tasks", "coverage", "--", "sh", "-c", "echo testing; exec sleep 600"],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(TOOL / "scripts"), "COVERAGE_SPY_RUNTIME": "procfile"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Where the tests run in the background, or below nohup, they ignore it, and this would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with run:
        assert run.stdout.readline() == b"testing\n"
        os.killpg(run.pid, number)  # as a terminal does
        assert run.wait(300) == code
    state = json.loads((state_directory(repository) / "stack.json").read_text())
    assert state["ended"]
    worker = state["services"]["worker"]
    assert not is_alive(Started(worker["pid"], worker["born"]))


@pytest.fixture
def recorded(tmp_path):
    """A repository with names that are not ASCII, and what a run of it recorded."""
    run = Run(tmp_path / "shop", {"main.py": "a = 1\n", "größe/é.py": "a = 2\nb = 3\n"}, runtime="procfile")
    (run.project.root / "Procfile").write_text("web: true\n")
    run.service("web")
    lines = {str(run.project.root / path): (run.source(path), [1]) for path in ("main.py", "größe/é.py")}
    run.lines("web", lines)
    return run.project.root


PRINTING = (["analyze-coverage"], ["coverage-report"], ["coverage-check", "--json"])


@pytest.mark.parametrize("task", PRINTING, ids=str)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_takes_nothing_is_one_sentence(recorded, task, unbuffered):
    tasks(recorded, "coverage-combine")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - it is a device
        answer = subprocess.run(
            [sys.executable, "-m", "coverage_tasks", *task, "-q"],
            cwd=recorded,
            env={
                **os.environ,
                **{"PYTHONPATH": str(TOOL / "scripts"), "COVERAGE_SPY_RUNTIME": "procfile"},
                "PYTHONUNBUFFERED": unbuffered,
            },
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert_one_sentence(answer, 1, "cannot write to stdout (No space left on device)")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("task", PRINTING, ids=str)
def test_closed_streams_are_no_obstacle(recorded, task, closed):
    answer = subprocess.run(
        ["sh", "-c", f'"$0" -m coverage_tasks "$@" {closed}', sys.executable, *task],
        cwd=recorded,
        env={**os.environ, "PYTHONPATH": str(TOOL / "scripts"), "COVERAGE_SPY_RUNTIME": "procfile"},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in answer.stderr
    assert answer.returncode == tasks(recorded, *task).returncode


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("task", PRINTING, ids=str)
@pytest.mark.parametrize("encoding", [{}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_names_are_the_same_in_any_locale(recorded, task, encoding):
    tasks(recorded, "coverage-combine")
    answer, plain = tasks(recorded, *task, **ASCII, **encoding), tasks(recorded, *task)
    assert (answer.returncode, answer.stderr) == (plain.returncode, plain.stderr)
    expected = plain.stdout.encode("ascii", "backslashreplace").decode() if encoding else plain.stdout
    assert answer.stdout == expected


LONG = "x" * 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["coverage-compare", LONG],
        ["coverage-compare", f"{LONG}/{LONG}", "y"],
        ["coverage-report", "--before", LONG],
        ["coverage-save", LONG],
        ["coverage-runs", "union", ".coverage", LONG],
        ["coverage-runs", "union", ".coverage", "main.py", "--output", LONG],
        ["coverage-install", LONG],
        ["coverage-install", ".", "--prefix", LONG],
        ["coverage-compare", "a\0b"],
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_names_that_no_file_can_have_are_one_sentence(recorded, arguments, monkeypatch, capsys):
    tasks(recorded, "coverage-combine")
    monkeypatch.chdir(recorded)
    monkeypatch.setenv("COVERAGE_SPY_RUNTIME", "procfile")
    assert main([*arguments, "-q"]) in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("coverage-spy: ")
