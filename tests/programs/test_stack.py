import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from machine import eventually

from coverage_tasks.errors import TaskError
from coverage_tasks.project import Project
from coverage_tasks.recorded import state as state_of_run
from coverage_tasks.recorded.stack import Stack, write_stack
from coverage_tasks.runtimes import procfile, stack
from coverage_tasks.runtimes.readiness import accepts

NOBODY = 65534
FOREVER = "exec python3 -c 'import time; time.sleep(600)'"


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("COVERAGE_SPY_TIMEOUT", raising=False)
    found = Project(tmp_path, "procfile", (tmp_path / "Procfile",))
    yield found
    stack.down(found)


def lines(project: Project, **processes: str) -> None:
    project.files[0].write_text("".join(f"{name}: {command}\n" for name, command in processes.items()))


def state(project: Project) -> dict:
    return json.loads((project.state / "stack.json").read_text())


def test_up_records_what_it_starts_and_down_ends_it(project):
    lines(project, a=FOREVER, b=FOREVER)
    stack.up(project)
    found = state(project)
    assert stack.running(project)
    assert (found["version"], found["runtime"], set(found["services"])) == (5, "procfile", {"a", "b"})
    entry = found["services"]["a"]
    assert entry["measured"]
    assert entry["interpreters"]
    assert os.getpgid(entry["pid"]) == os.getsid(entry["pid"]) == entry["pid"]
    assert stack.down(project)
    assert not stack.running(project)
    assert state(project)["ended"] >= found["started"]
    assert not stack.down(project)


def test_process_that_is_left_out_runs_without_the_spy(project):
    (project.root / "src").mkdir()
    (project.root / "coverage-spy.yml").write_text("leave-out: [b]\nsources: {a: {/srv/build: src}}\n")
    show = f"echo $COVERAGE_ENABLE $COVERAGE_SOURCE; {FOREVER}"
    lines(project, a=show, b=show)
    stack.up(project)
    found = state(project)["services"]
    assert (found["a"]["measured"], found["a"]["reason"]) == (True, "")
    assert (found["b"]["measured"], found["b"]["reason"]) == (False, "left out in coverage-spy.yml")
    logs = {name: (project.state / "logs" / f"{name}.log").read_text().split() for name in "ab"}
    assert logs == {"a": ["true", f"{project.root}:/srv/build"], "b": []}


def test_reloader_that_watches_the_repository_sees_the_users_changes_only(project, tmp_path_factory):
    starts = tmp_path_factory.mktemp("starts") / "starts"
    app = f"import time\nprint('started', file=open({str(starts)!r}, 'a'))\ntime.sleep(600)\n"
    (project.root / "app.py").write_text(app)
    lines(project, web=f"exec {sys.executable} -m watchfiles '{sys.executable} app.py' .")
    stack.up(project)
    assert eventually(lambda: starts.exists() and starts.read_text() == "started\n")
    (project.root / "app.py").write_text(f"{app}\n")
    assert eventually(lambda: starts.read_text() != "started\n")
    stack.down(project)
    assert starts.read_text() == 2 * "started\n"


def test_setting_for_no_process_starts_nothing(project):
    (project.root / "coverage-spy.yml").write_text("leave-out: [bb]\n")
    lines(project, bbb=FOREVER)
    with pytest.raises(TaskError, match="there is no service 'bb': did you mean bbb"):
        stack.up(project)
    assert not (project.state / "stack.json").exists()


def test_only_journals_are_open_to_every_user(project):
    lines(project, a=FOREVER)
    stack.up(project)
    assert project.state.stat().st_mode & 0o7777 == 0o700
    assert project.journals.stat().st_mode & 0o7777 == 0o755
    assert (project.journals / "a").stat().st_mode & 0o7777 == 0o1777
    assert not project.data.exists()


@pytest.fixture
def as_another_user(monkeypatch):
    """A project of a user without rights, in whose state directory root has left a file."""
    if os.getuid():
        pytest.skip("only root can leave files for others")
    root = Path(tempfile.mkdtemp())
    monkeypatch.setenv("COVERAGE_SPY_STATE", str(root / "state"))
    (root / "state" / "journals" / "a").mkdir(parents=True)
    (root / "state" / "journals" / "a" / "0123456789abcdef.journal").touch()
    os.chown(root, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    yield Project(root, "procfile", (root / "Procfile",))
    os.seteuid(0)
    shutil.rmtree(root)


def test_linked_data_directory_is_refused(project, tmp_path):
    (tmp_path / "theirs" / "runs" / "kept").mkdir(parents=True)
    (tmp_path / "theirs" / "thesis").touch()
    (tmp_path / "theirs").chmod(0o700)
    project.data.symlink_to(tmp_path / "theirs")
    for task in (state_of_run.prepare_state, lambda found: state_of_run.remove(found, [])):
        with pytest.raises(TaskError, match=r"coverage-data is a link, .*: remove the link"):
            task(project)
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in (tmp_path / "theirs").iterdir()) == ["runs", "thesis"]
    project.data.unlink()


@pytest.mark.parametrize(
    "name",
    [
        *("state/journals", "state/journals/a", "state/logs", "state/images"),
        *("data/services", "data/runs", "data/.gitignore"),
    ],
)
def test_link_in_a_directory_of_ours_is_refused_and_nothing_behind_it_touched(project, tmp_path, name):
    which, _, name = name.partition("/")
    theirs = tmp_path / "theirs"
    (theirs / "a").mkdir(parents=True)
    (theirs / "a.log").write_text("mine")
    theirs.chmod(0o700)
    place = getattr(project, which) / name
    place.parent.mkdir(parents=True)
    place.symlink_to(theirs / "a.log" if name == ".gitignore" else theirs)
    lines(project, a=FOREVER)
    with pytest.raises(TaskError, match=rf"/{name} is a link, .*: remove the link"):
        stack.up(project, append=True)
    with pytest.raises(TaskError, match=rf"/{name} is a link, .*: remove the link"):
        state_of_run.remove(project, [])
    assert sorted(path.name for path in theirs.iterdir()) == ["a", "a.log"]
    assert theirs.stat().st_mode & 0o777 == 0o700
    assert (theirs / "a.log").read_text() == "mine"


def test_what_root_left_is_named_with_the_way_to_remove_it(as_another_user):
    remedy = r"/state cannot be replaced by you.* `sudo rm -rf \S+/state`, or `docker .*/state`"
    (as_another_user.root / "lcov.info").touch()
    with pytest.raises(TaskError, match=remedy):
        state_of_run.prepare_state(as_another_user)
    with pytest.raises(TaskError, match=remedy):
        state_of_run.remove(as_another_user, [as_another_user.root / "lcov.info"])
    assert not (as_another_user.root / "lcov.info").exists()


def test_what_containers_left_is_no_obstacle(as_another_user):
    os.seteuid(0)
    for ours in (as_another_user.state, as_another_user.journals, as_another_user.journals_of("a")):
        os.chown(ours, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    state_of_run.prepare_state(as_another_user)
    state_of_run.remove(as_another_user, [])
    assert not as_another_user.state.exists()


def test_process_that_finished_is_no_failure(project):
    lines(project, migrate="true", web=FOREVER)
    stack.up(project)
    assert state(project)["services"]["migrate"]["exit_code"] == 0
    stack.wait_until_ready(project)


def test_process_that_died_shows_its_log_and_keeps_the_others_running(project, capsys, monkeypatch):
    lines(project, web="echo no database; exit 3 # --port 1", other=FOREVER)  # waited for, until it dies
    stack.up(project)
    assert "| no database" in capsys.readouterr().err
    assert stack.running(project)
    with pytest.raises(TaskError, match="1 of 2 services is not ready: web: correct it, or name it under may-end"):
        stack.wait_until_ready(project)
    (project.root / "coverage-spy.yml").write_text("may-end: [web]\n")
    stack.wait_until_ready(project)


def test_process_killed_after_up_is_noticed_and_does_not_stop_the_others(project):
    lines(project, worker=FOREVER, other=FOREVER)
    stack.up(project)
    worker, other = (procfile.Started(entry["pid"], entry["born"]) for entry in state(project)["services"].values())
    os.killpg(worker.pid, signal.SIGKILL)
    assert eventually(lambda: not procfile.is_alive(worker))
    with pytest.raises(TaskError, match="1 of 2 services is not ready: worker"):
        stack.wait_until_ready(project)
    assert procfile.is_alive(other)


def test_port_that_is_taken_is_named_before_anything_starts(project):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        lines(project, other=FOREVER, web=f"{FOREVER} --port {port}")
        with pytest.raises(TaskError, match=f"port {port} of web is taken: stop what listens there"):
            stack.up(project)
    assert not (project.state / "stack.json").exists()


def test_ready_is_what_listens(project):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    late = f"sleep 1; exec {sys.executable} -m http.server --bind 127.0.0.1 {port} # --port {port}"
    lines(project, web=late)
    stack.up(project)
    assert accepts(port)


@pytest.mark.parametrize("kind", ["port", "address", "page", "command"])
def test_ready_is_what_the_repository_says(project, kind):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    says = {
        "port": f"{port}",
        "address": f"127.0.0.1:{port}",
        "page": f"http://127.0.0.1:{port}/late",
        "command": "test -e late",
    }
    (project.root / "coverage-spy.yml").write_text(f"ready: {{web: '{says[kind]}'}}\n")
    serve = f"{sys.executable} -m http.server --bind 127.0.0.1 $((0+{port}))"
    lines(project, web=f"(sleep 1; touch late) & sleep 1; exec {serve}", other=FOREVER)
    stack.up(project)
    assert accepts(port) or kind == "command"
    assert (project.root / "late").exists()


@pytest.mark.parametrize(
    ("says", "answer"),
    [
        ("1", "web does not listen on port 1"),
        ("http://127.0.0.1:1/", "web does not answer at http://127.0.0.1:1/"),
        ("[sh, -c, exit 3]", "web has `sh -c exit 3` end with 3"),
        ("no-such-command", "web has `no-such-command` end with No such file or directory"),
    ],
)
def test_what_the_repository_waits_for_in_vain_is_named(project, monkeypatch, says, answer):
    monkeypatch.setenv("COVERAGE_SPY_TIMEOUT", "0.5")
    (project.root / "coverage-spy.yml").write_text(f"ready: {{web: {says}}}\n")
    lines(project, web=FOREVER)
    with pytest.raises(TaskError, match=rf"not ready after 0\.5 s: {re.escape(answer)}; correct this"):
        stack.up(project)


def test_what_never_gets_ready_is_named(project, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_TIMEOUT", "0.5")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    lines(project, web=f"{FOREVER} --port {port}")
    expected = rf"not ready after 0\.5 s: web does not listen on port {port}; .*COVERAGE_SPY_TIMEOUT"
    with pytest.raises(TaskError, match=expected):
        stack.up(project)
    assert not stack.running(project)


@pytest.mark.parametrize("value", ["soon", "nan", "inf", "-1", "0"])
def test_refuses_a_timeout_that_is_no_number(project, monkeypatch, value):
    monkeypatch.setenv("COVERAGE_SPY_TIMEOUT", value)
    lines(project, web=FOREVER)
    with pytest.raises(TaskError, match=f"COVERAGE_SPY_TIMEOUT is '{value}': set it to a number of seconds"):
        stack.up(project)


@pytest.mark.parametrize(("append", "kept"), [(False, False), (True, True)])
def test_new_run_removes_journals_of_the_last_unless_told_to_append(project, append, kept):
    lines(project, a=FOREVER)
    (project.journals / "a").mkdir(parents=True)
    (project.journals / "a" / "0123456789abcdef.journal").touch()
    stack.up(project, append=append)
    assert (project.journals / "a" / "0123456789abcdef.journal").exists() is kept


def test_running_stack_keeps_its_journals(project):
    lines(project, a=FOREVER)
    stack.up(project)
    (project.journals / "a" / "0123456789abcdef.journal").touch()
    with pytest.raises(TaskError, match="running already: run down-coverage first"):
        stack.up(project)
    assert (project.journals / "a" / "0123456789abcdef.journal").exists()


def test_stack_that_vanished_is_not_running(project):
    lines(project, a=FOREVER)
    stack.up(project)
    found = state(project)
    stack.down(project)
    (project.state / "stack.json").write_text(json.dumps(found))
    assert not stack.running(project)


STACK = '{"version": 5, "runtime": "procfile", "name": "", "on_host": true, "services": %s}'


@pytest.mark.parametrize(
    "record",
    [
        "{",
        "[1]",
        "{}",
        '{"version": 5, "runtime": "procfile", "name": "", "on_host": true, "services": {"a": {"pid": "x"}}}',
    ],
)
def test_damaged_record_is_named(project, record):
    project.state.mkdir(parents=True)
    (project.state / "stack.json").write_text(record)
    with pytest.raises(TaskError, match=r"stack.json cannot be read .* remove it"):
        stack.running(project)
    (project.state / "stack.json").unlink()


def test_record_of_another_version_is_none_once_its_run_has_ended(project):
    project.state.mkdir(parents=True)
    (project.state / "stack.json").write_text('{"version": 1, "runtime": "procfile", "services": {}, "ended": 7.5}')
    assert not stack.running(project)
    assert not stack.down(project)


def test_stack_of_another_version_that_is_up_is_named_with_the_way_to_stop_it(project):
    project.state.mkdir(parents=True)
    (project.state / "stack.json").write_text('{"version": 1, "runtime": "compose", "services": {}}')
    with pytest.raises(TaskError, match="another version of coverage-spy started: stop it"):
        stack.down(project)
    (project.state / "stack.json").unlink()


def test_test_command_knows_the_stack(project):
    lines(project, a=FOREVER)
    stack.up(project)
    check = (
        "import json, os; state = json.load(open(os.environ['COVERAGE_SPY_STACK'])); "
        "assert os.environ['COVERAGE_SPY_RUNTIME'] == 'procfile'; assert state['services']['a']['pid']; "
        f"assert os.getcwd() == {str(project.root)!r}; assert 'COVERAGE_ENABLE' not in os.environ"
    )
    assert stack.run_command(project, [sys.executable, "-c", check]) == 0


def test_command_that_the_system_cannot_run_is_named(project):
    lines(project, a=FOREVER)
    stack.up(project)
    command = project.root / "no-shebang"
    command.write_bytes(b"\x7fnothing")
    command.chmod(0o755)
    with pytest.raises(TaskError, match="no-shebang cannot be run"):
        stack.run_command(project, [str(command)])


def test_stack_of_an_engine_that_is_gone_is_no_obstacle(project, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    lines(project, a=FOREVER)
    project.state.mkdir(parents=True)
    write_stack(project.state, Stack("compose", "shop-coverage", on_host=False))
    stack.up(project)
    assert state(project)["runtime"] == "procfile"
