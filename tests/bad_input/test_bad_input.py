"""Whatever is wrong with what the tasks are given: one sentence with the remedy, and what can be saved is saved."""

import json
import os
import socket
import subprocess
import sys

import pytest
from bad_input.tasks import EXECUTED, REPORTS, WAIT, errors, read_only, run_task
from checkouts import commit, git
from e2e.stacks import SERVER
from machine import ROOT
from template import environment

from coverage_tasks.places import state_directory

NOISE = b"\xff" + os.urandom((1 << 20) - 1)


def executed(root):
    files = json.loads((root / "coverage.json").read_text())["files"]
    return {path: found["executed_lines"] for path, found in files.items()}


def assert_everything_is_reported(root):
    assert [name for name in REPORTS if not (root / name).is_file()] == []
    assert executed(root) == EXECUTED


def journals(root):
    return state_directory(root) / "journals"


def a_journal(root):
    return min(journals(root).rglob("*.journal"))


def test_nothing_bad_is_no_error(recorded):
    answer = run_task(recorded, "coverage-report", "-q")
    assert errors(answer, 0) == []
    assert_everything_is_reported(recorded)


# Nothing to run, or not to be run.


@pytest.mark.parametrize("task", ["coverage", "up-coverage", "down-coverage", "coverage-report", "coverage-combine"])
@pytest.mark.parametrize(
    ("runtime", "words"),
    [
        ("auto", "there is neither a compose file nor a Procfile in "),
        ("procfile", "there is no Procfile in "),
        ("compose", "there is no compose file in "),
        ("podman", "COVERAGE_SPY_RUNTIME is 'podman': "),
    ],
)
def test_no_compose_file_and_no_procfile(tmp_path, task, runtime, words):
    (said,) = errors(run_task(tmp_path, task, "-q", COVERAGE_SPY_RUNTIME=runtime))
    assert said.startswith(words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("Procfile", b"", "names no process: add a line `name: command` per service"),
        ("Procfile", b"api: true\napi: true\n", "names a process twice: give each a name of its own"),
        ("Procfile", b"api: \xff\xfe\n", "can't decode byte 0xff in position 5"),
        ("Procfile", b"api: true\0\n", "holds a zero byte"),
        (".env", NOISE, "can't decode byte"),
        (".env", b"A=\0\n", "holds a zero byte"),
    ],
)
def test_a_procfile_or_an_env_file_that_is_none(bare, name, content, words):
    (bare / name).write_bytes(content)
    (said,) = errors(run_task(bare, "up-coverage", "-q"))
    assert said.startswith(f"{bare / name} ")
    assert words in said


@pytest.mark.engine
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: [\n", ""),
        ("services:\n  web: {image: 7}\n", "image must be a string"),
        ("\0\1\2", ""),
        ("services: {}\n", ""),
        ("services:\n  web: {image: 'x:${UNSET:?give me UNSET}'}\n", "give me UNSET"),
        ("services:\n  web: {image: x, depends_on: [nobody]}\n", "nobody"),
    ],
)
def test_an_invalid_compose_file(repository, text, words):
    repository.write("docker-compose.yml", text)
    for task in ("coverage-overlay", "up-coverage"):
        (said,) = errors(repository.tasks(task, "-q"))
        assert "docker-compose.yml" in said
        assert words in said


def test_an_engine_that_is_not_there(tmp_path):
    (tmp_path / "compose.yml").write_text("services: {web: {image: python}}\n")
    nobody = f"unix://{tmp_path}/nobody.sock"
    for runtime in ("compose", "auto"):
        (said,) = errors(run_task(tmp_path, "up-coverage", "-q", COVERAGE_SPY_RUNTIME=runtime, DOCKER_HOST=nobody))
        assert "Docker" in said


def test_an_engine_that_is_not_there_is_not_missed_by_a_procfile(bare):
    (bare / "compose.yml").write_text("services: {web: {image: python}}\n")
    nobody = f"unix://{bare}/nobody.sock"
    answer = run_task(bare, "coverage", "-q", "--", "sh", "-c", WAIT, COVERAGE_SPY_RUNTIME="auto", DOCKER_HOST=nobody)
    assert errors(answer, 0) == []
    assert_everything_is_reported(bare)


@pytest.mark.engine
def test_an_engine_that_accepts_and_says_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the path of a socket may have 107 characters, and TMPDIR as many
    (tmp_path / "compose.yml").write_text("services: {web: {image: python}}\n")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("silent.sock")
        server.listen()
        host = "unix://silent.sock"
        (said,) = errors(run_task(tmp_path, "up-coverage", "-q", COVERAGE_SPY_RUNTIME="auto", DOCKER_HOST=host))
    assert said.startswith("the container engine has not answered for 20 s: restart it")


@pytest.mark.engine
def test_an_image_that_does_not_build(repository):
    repository.service("web", SERVER, more="RUN echo the reason && exit 3")
    repository.write("docker-compose.yml", "services: {web: {build: web}}\n")
    answer = repository.tasks("up-coverage", "-q")
    said, *build = answer.stderr.splitlines()
    assert answer.returncode == 1
    assert said == "coverage-spy: the image of web does not build: correct its Dockerfile"
    assert "the reason" in "\n".join(build)
    assert "Traceback" not in answer.stderr
    assert repository.containers() == []


@pytest.mark.engine
def test_an_image_that_is_nowhere(repository):
    repository.write("docker-compose.yml", "services: {web: {image: '127.0.0.1:9/no-such-image:1'}}\n")
    (said,) = errors(repository.tasks("up-coverage", "-q"))
    assert said.startswith("the image of web is neither here nor can it be pulled: ")
    assert said.endswith("; build it, or correct its name")


@pytest.mark.engine
def test_a_taken_port_of_a_container(repository):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        repository.service("web", SERVER)
        repository.write("docker-compose.yml", f'services: {{web: {{build: web, ports: ["127.0.0.1:{port}:8000"]}}}}\n')
        (said,) = errors(repository.tasks("coverage", "-q", "--", "true"))
    assert said.startswith(f"port {port} is taken: stop what listens there")
    assert repository.containers() == []


def test_a_taken_port_of_a_process(bare):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        (bare / "Procfile").write_text(
            "web: exec python3 -m http.server $PORT\nworker: python3 worker.py && touch worker.done\n"
        )
        (said,) = errors(run_task(bare, "coverage", "-q", "--", "true", PORT=str(port)))
    assert said == f"port {port} of web is taken: stop what listens there"
    assert not (bare / "worker.done").exists()


@pytest.mark.parametrize("task", [["coverage", "-q", "--"], ["test-with-coverage", "-q"]])
@pytest.mark.parametrize("command", ["no-such-command", "./no-such-command", "/no/such/command", "./Procfile", "."])
def test_a_test_command_that_does_not_exist(bare, task, command):
    (said,) = errors(run_task(bare, *task, command), 127)
    assert said.startswith(f"the test command {command} does not exist: ")
    assert not (bare / "coverage-data").exists()


# Nowhere to write.


@pytest.mark.parametrize("task", [["coverage", "-q", "--", "true"], ["up-coverage", "-q"]])
def test_a_state_directory_that_cannot_be_made(bare, task, tmp_path_factory):
    place = tmp_path_factory.mktemp("states")
    with read_only(place):
        (said,) = errors(run_task(bare, *task, COVERAGE_SPY_STATE=f"{place}/state"))
    assert said.startswith(f"cannot write to {place}/state (")
    assert said.endswith("): make it writable, or set COVERAGE_SPY_STATE to another directory")


@pytest.mark.parametrize("value", ["state", "{root}", "{root}/..", "/"])
def test_a_state_directory_that_cannot_be_one(bare, value):
    chosen = value.format(root=bare)
    for task in ("up-coverage", "coverage-clean", "analyze-coverage"):
        (said,) = errors(run_task(bare, task, "-q", COVERAGE_SPY_STATE=chosen))
        assert said == f"COVERAGE_SPY_STATE is {chosen!r}: set it to the absolute path of a directory of its own"


def test_state_of_another_checkout(recorded, bare):
    for task in ("up-coverage", "coverage-report", "coverage-clean"):
        (said,) = errors(run_task(bare, task, "-q", COVERAGE_SPY_STATE=str(state_directory(recorded))))
        assert said.startswith(f"{state_directory(recorded)} has the state of the checkout {recorded}: set ")
    assert errors(run_task(recorded, "coverage-report", "-q"), 0) == []


def test_a_state_directory_that_cannot_be_written_keeps_its_journals(recorded):
    state = state_directory(recorded)
    before = {path: path.read_bytes() for path in state.rglob("*.journal")}
    with read_only(state):
        (said,) = errors(run_task(recorded, "coverage-report", "-q"))
    assert said.startswith(f"cannot write {state}/")
    assert {path: path.read_bytes() for path in state.rglob("*.journal")} == before
    assert errors(run_task(recorded, "coverage-report", "-q"), 0) == []


def test_something_in_the_place_of_the_state_directory(bare, tmp_path_factory):
    place = tmp_path_factory.mktemp("states") / "state"
    place.write_text("in the way")
    (said,) = errors(run_task(bare, "up-coverage", "-q", COVERAGE_SPY_STATE=str(place)))
    assert said.startswith(f"cannot write to {place} (")


def test_something_in_the_place_of_the_data_directory(recorded):
    (recorded / "coverage-data").write_text("in the way")
    said = errors(run_task(recorded, "coverage-report", "-q"))
    assert all(sentence.startswith(f"cannot write {recorded}/coverage-data (") for sentence in said)
    assert [name for name in REPORTS if not (recorded / name).is_file()] == ["coverage.xml", "lcov.info"]


def test_a_report_that_cannot_be_written_does_not_keep_the_others_from_it(recorded):
    (recorded / "coverage.json").mkdir()
    (said,) = errors(run_task(recorded, "coverage-report", "-q"))
    assert said.startswith("coverage.json is not written, since what is there is another tool's")
    assert [name for name in REPORTS if not (recorded / name).is_file()] == ["coverage.json"]


# What another tool wrote, or git tracks.

THEIRS = {".coverage": "their data", "coverage.xml": "<theirs/>", "htmlcov/index.html": "theirs"}


def write_theirs(root):
    (root / "htmlcov").mkdir(exist_ok=True)
    for name, text in THEIRS.items():
        (root / name).write_text(text)


def assert_theirs_stay(root):
    assert {name: (root / name).read_text() for name in THEIRS} == THEIRS


def test_reports_of_another_tool_stay_and_ours_can_go_elsewhere(recorded):
    write_theirs(recorded)
    said = errors(run_task(recorded, "coverage-report", "-q"))
    remedy = "name a directory for reports in coverage-spy.yml, such as `reports: coverage-data/reports`, or remove it"
    assert said == [f"{name} is not written, since what is there is another tool's: {remedy}" for name in THEIRS]
    assert_theirs_stay(recorded)
    assert executed(recorded) == EXECUTED

    (recorded / "coverage-spy.yml").write_text("reports: coverage-data/reports\n")
    for _ in range(2):
        assert errors(run_task(recorded, "coverage-report", "-q"), 0) == []
        write_theirs(recorded)  # as unit tests do in between
    assert_everything_is_reported(recorded / "coverage-data/reports")
    assert errors(run_task(recorded, "coverage-clean", "-q"), 0) == []
    assert_theirs_stay(recorded)
    assert not (recorded / "coverage-data").exists()


def test_reports_that_another_tool_wrote_over_ours_stay(recorded):
    assert errors(run_task(recorded, "coverage-report", "-q"), 0) == []
    write_theirs(recorded)
    assert len(errors(run_task(recorded, "coverage-report", "-q"))) == len(THEIRS)
    answer = run_task(recorded, "coverage-clean")
    assert ".coverage, coverage.xml and htmlcov/index.html stay: another tool wrote there" in answer.stderr
    assert_theirs_stay(recorded)
    assert not (recorded / "coverage.json").exists()


def test_report_that_git_tracks_stays(recorded):
    (recorded / "coverage.md").write_text("ours, says git\n")
    git(recorded, "init", "-q")
    commit(recorded)
    (said,) = errors(run_task(recorded, "coverage-report", "-q"))
    assert said.startswith("coverage.md is not written, since git tracks it: name a directory for reports in ")
    assert (recorded / "coverage.md").read_text() == "ours, says git\n"


# Nothing to combine, or something else than journals.


@pytest.mark.parametrize("task", ["coverage-combine", "coverage-html", "coverage-json", "analyze-coverage"])
def test_no_journals_to_combine(bare, task):
    (said,) = errors(run_task(bare, task, "-q"))
    assert said == f"there is nothing to combine in {journals(bare)}: run up-coverage first"


def behind_its_header(journal, noise):
    start = 16 + int.from_bytes(journal[8:12], "little")
    return journal[: start + -start % 8] + noise


DAMAGE = {
    "foreign": (lambda journal: b"SQLite format 3\0" + journal, "is not a journal: remove it"),
    "truncated": (lambda journal: journal[:100], "ends inside its header: copy it again if it is a copy, or remove it"),
    "changed": (lambda journal: journal[:30] + b"?" + journal[31:], "ends inside its header: "),
    "future": (
        lambda journal: journal[:6] + b"\2" + journal[7:],
        "has format version 2, this is version 1: report with",
    ),
    "noise": (lambda _: NOISE * 100, "is not a journal: remove it"),
    "noise behind": (lambda journal: behind_its_header(journal, NOISE * 100), " records that nobody can read, "),
    "noise at its end": (lambda journal: journal.rstrip(b"\0") + b"\xff" * 8, " 1 record that nobody can read, "),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_journal(recorded, kind):
    change, words = DAMAGE[kind]
    damaged = journals(recorded) / "0123456789abcdef.journal"
    damaged.write_bytes(change(a_journal(recorded).read_bytes()))
    answer = run_task(recorded, "coverage-report", "-q")
    (said,) = errors(answer, 0)
    assert said.startswith(f"{damaged} ")
    assert words in said
    assert f"- {said}\n" in answer.stdout
    assert damaged.name in (recorded / "coverage.md").read_text()
    assert_everything_is_reported(recorded)
    assert errors(run_task(recorded, "coverage-combine", "-q"), 0) == [said]
    assert errors(run_task(recorded, "analyze-coverage", "-q"), 0) == [said]


def test_nothing_but_damage(recorded):
    for journal in journals(recorded).rglob("*.journal"):
        journal.write_bytes(journal.read_bytes()[:50])
    *said, last = errors(run_task(recorded, "coverage-report", "-q"))
    assert ["ends inside its header" in sentence for sentence in said] == [True, True]
    assert last.startswith("no service that is measured sent anything, so nothing was measured")


def test_processes_killed_while_they_opened_their_journal_are_no_damage(recorded):
    (journals(recorded) / "0123456789abcdef.journal").write_bytes(b"")
    (journals(recorded) / "0123456789abcde0.journal").write_bytes(bytes(32768))
    answer = run_task(recorded, "coverage-report", "-q")
    assert errors(answer, 0) == []
    assert "- of 2 processes nothing is known: killed at the very start\n" in answer.stdout
    assert_everything_is_reported(recorded)


@pytest.mark.parametrize(
    "source", ["print 'hello'\n", "a = 1\0\n", "a = " + "-" * 50_000 + "1\n", "def f(:\n", "\ufeff\ufeff"]
)
def test_a_source_that_cannot_be_parsed(recorded, source):
    (recorded / "legacy.py").write_text(source)
    answer = run_task(recorded, "coverage-report", "-q")
    (said,) = errors(answer, 0)
    assert said.startswith("legacy.py is unknown: ")
    assert ": correct it, or leave it out under `omit` in " in said
    assert f"- {said}\n" in answer.stdout
    assert_everything_is_reported(recorded)
    for task in ("coverage-html", "coverage-json", "coverage-xml", "coverage-lcov", "analyze-coverage"):
        assert errors(run_task(recorded, task, "-q"), 0) == [said]


# Settings of coverage.py's in the repository, which may be those of a branch under review.

HOSTILE = """\
[run]
plugins = evil
data_file = elsewhere/data
debug = config
debug_file = elsewhere/debug
relative_files = false
parallel = true
dynamic_context = test_function
source = elsewhere
omit = evil.py
[report]
contexts = nobody
ignore_errors = false
[html]
directory = elsewhere/html
extra_css = /etc/passwd
[xml]
output = elsewhere/xml
[json]
output = elsewhere/json
[lcov]
output = elsewhere/lcov
[paths]
all =
    elsewhere
    *
[evil]
option = 1
"""


@pytest.mark.parametrize("environ", [{}, {"COVERAGE_RCFILE": ".coveragerc"}])
def test_settings_of_coverage_run_nothing_and_write_nowhere_else(recorded, environ):
    (recorded / ".coveragerc").write_text(HOSTILE)
    (recorded / "evil.py").write_text("raise SystemExit('a plugin was loaded')\n")
    (recorded / "elsewhere").mkdir()
    answer = run_task(recorded, "coverage-report", **environ)  # python -m finds evil.py there
    assert answer.returncode == 0, answer.stderr
    assert "of .coveragerc these do not count here: [run] data_file (the data is in .coverage), " in answer.stderr
    assert_everything_is_reported(recorded)
    assert [*(recorded / "elsewhere").iterdir()] == []
    assert not [file for file in (recorded / "htmlcov").iterdir() if "root:" in file.read_text(errors="replace")]


def test_settings_of_coverage_that_cannot_be_taken(recorded):
    assert errors(run_task(recorded, "coverage-combine", "-q"), 0) == []
    (recorded / "pyproject.toml").write_text("[tool.coverage.report]\nexclude_also = ['(']\n")
    sentence = (
        "pyproject.toml cannot be taken for coverage.py's settings (Invalid [tool.coverage.report].exclude_also "
        "value '(': missing ), unterminated subpattern at position 0): correct it"
    )
    for task in ("coverage-report", "coverage-html", "coverage-json", "coverage-combine", "analyze-coverage"):
        assert errors(run_task(recorded, task, "-q")) == [sentence]
    assert errors(run_task(recorded, "coverage-check", "-q"), 2) == [sentence]
    for name in EXECUTED:
        (recorded / name).with_suffix(".done").unlink()
    assert errors(run_task(recorded, "coverage", "-q", "--", "true")) == [sentence]
    assert [*recorded.glob("*.done")] == []  # no service has run
    assert not (recorded / "htmlcov").exists()


def test_each_damage_is_named_and_the_code_of_a_failed_command_wins(bare):
    assert errors(run_task(bare, "coverage", "-q", "--", "sh", "-c", WAIT), 0) == []
    (journals(bare) / "0123456789abcde0.journal").write_bytes(b"noise")
    (journals(bare) / "0123456789abcdef.journal").write_bytes(a_journal(bare).read_bytes()[:50])
    (bare / "legacy.py").write_text("print 'hello'\n")
    said = errors(run_task(bare, "coverage", "-q", "--append", "--", "sh", "-c", f"{WAIT}; exit 7"), 7)
    assert [sentence.removeprefix(f"{journals(bare)}/").split()[0] for sentence in said] == [
        "0123456789abcde0.journal",
        "0123456789abcdef.journal",
        "legacy.py",
    ]
    assert_everything_is_reported(bare)


def test_a_reader_that_goes_away_is_no_traceback(recorded):
    command = [sys.executable, "-m", "coverage_tasks", "analyze-coverage", "-q", "--json"]
    environ = environment(PYTHONPATH=str(ROOT / "scripts"), COVERAGE_SPY_RUNTIME="procfile")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=recorded, env=environ, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
