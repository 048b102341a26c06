"""What reports end with: 0 whatever is unknown, 1 where nothing was measured."""

from dataclasses import replace

import pytest
from journal_files import Run
from template import tasks

from coverage_tasks.recorded.stack import read_stack, write_stack

TOO_OLD = "its image has only Python 3.7"


def ended(run):
    write_stack(run.project.state, replace(read_stack(run.project.state), ended=1.0))
    (run.project.root / "compose.yml").write_text("services: {}\n")
    return run.project.root


def unparsed(run):
    (run.project.root / "a.py").write_text("print 'a'\n")
    run.service("web", {"/app/a.py": run.source("a.py")})
    run.lines("web", {"/app/a.py": (run.source("a.py"), [1])})


def damaged(run):
    run.lines("web", {"/app/a.py": (run.source("a.py"), [1])})
    (run.project.journals / "x.journal").write_bytes(b"noise")


def unmapped(run):
    run.lines("web", {"/app/a.py": (run.source("a.py"), [1]), "/app/made.py": (b"made = 1\n", [1])})


def silent_beside_another(run):
    run.service("worker", {"/app/a.py": run.source("a.py")})
    run.lines("web", {"/app/a.py": (run.source("a.py"), [1])})


def too_old(run):
    run.service("web", {"/app/a.py": run.source("a.py")}, measured=False, reason=TOO_OLD, interpreters=("3.7",))


def silent(run):
    pass


def damaged_only(run):
    (run.project.journals / "x.journal").write_bytes(b"noise")


@pytest.mark.parametrize(
    ("happened", "code", "said"),
    [
        (unparsed, 0, "a.py is unknown: "),
        (damaged, 0, "x.journal is not a journal"),
        (unmapped, 0, "/app/made.py is not mapped"),
        (silent_beside_another, 0, "worker: it sent nothing"),
        (too_old, 0, f"web: it is not measured: {TOO_OLD}"),
        (silent, 1, "no service that is measured sent anything"),
        (damaged_only, 1, "no service that is measured sent anything"),
    ],
)
def test_only_where_nothing_was_measured_a_report_fails(tmp_path, happened, code, said):
    run = Run(tmp_path, {"a.py": "a = 1\n"})
    run.service("web", {"/app/a.py": run.source("a.py")})
    happened(run)
    root = ended(run)
    if happened is silent:  # coverage-report would begin another run
        assert tasks(root, "coverage-combine", COVERAGE_SPY_RUNTIME="auto").returncode == code
        return
    answer = tasks(root, "coverage-report", COVERAGE_SPY_RUNTIME="auto")
    assert (answer.returncode, "Traceback" in answer.stderr) == (code, False), answer.stderr
    assert said in answer.stdout + answer.stderr
    assert "| web |" in (root / "coverage.md").read_text()
    assert (root / "htmlcov" / "index.html").is_file()
    assert (root / "htmlcov" / "badge.svg").is_file()
