"""The sessions for work on coverage-spy itself: its tests, its style, its speed."""

import os
from pathlib import Path

import nox

TESTS = Path(__file__).resolve().parent
REQUIREMENTS = ("-r", "scripts/requirements.txt")
INSTALLER = "pip<25.1"  # later ones install nothing for Python 3.8
SCHEMAS = {
    "github-workflows": (".github/workflows/ci.yml", "docs/ci/github-actions.yml"),
    "github-actions": (".github/actions/coverage-report/action.yml",),
    "gitlab-ci": ("docs/ci/gitlab-ci.yml",),
}
MADE_WORKFLOWS = ("action.yml", "gates.yml", "gitlab.yml", "gitlab-gates.yml")  # by tests/faces/as_workflows.py
PATHS = {"PYTHONPATH": os.pathsep.join((str(TESTS.parent / "scripts"), str(TESTS)))}


def run_tests(session: nox.Session, *selection: str) -> None:
    session.install(*REQUIREMENTS, "-r", "tests/requirements.txt")
    parallel = ("--numprocesses", "auto", "--dist", "worksteal")
    session.run("python", "-m", "pytest", *parallel, *selection, env=PATHS, interrupt_timeout=60.0)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def tests(session: nox.Session) -> None:
    """Run the tests; those that need an engine or a browser are skipped, with the reason, where there is none."""
    run_tests(session, *(session.posargs or ["tests"]))


@nox.session(name="tests-unit", default=False, reuse_venv=True, tags=["template"])
def tests_unit(session: nox.Session) -> None:
    """Run the unit tests alone: they start no process and wait for no clock."""
    run_tests(session, *session.posargs, "tests/unit")


@nox.session(name="tests-tasks", default=False, reuse_venv=True, tags=["template"])
def tests_tasks(session: nox.Session) -> None:
    """Run the tests of what starts git, pip or a shell, and of whole tasks."""
    run_tests(session, *session.posargs, "tests/programs", "tests/tasks", "tests/bad_input")


@nox.session(name="tests-speed", default=False, reuse_venv=True, tags=["template"])
def tests_speed(session: nox.Session) -> None:
    """Run the tests of what work may cost, counted and not timed."""
    run_tests(session, *session.posargs, "tests/speed")


@nox.session(name="tests-spy", default=False, reuse_venv=True, tags=["template"])
def tests_spy(session: nox.Session) -> None:
    """Run the tests of the spy in every CPython of this machine, and of what damages its journals."""
    run_tests(session, *session.posargs, "tests/spy", "tests/faults", "tests/fuzz", "tests/soak")


@nox.session(name="tests-faces", default=False, reuse_venv=True, tags=["template"])
def tests_faces(session: nox.Session) -> None:
    """Run the tests of nox, just, the files for CI, the README and the pages, as a user meets them."""
    run_tests(session, *session.posargs, "tests/faces", "tests/portal")


@nox.session(name="tests-engine", default=False, reuse_venv=True, tags=["template"])
def tests_engine(session: nox.Session) -> None:
    """Run the tests that need a Docker engine."""
    run_tests(session, *session.posargs, "-m", "engine", "tests")


@nox.session(default=False, reuse_venv=True, tags=["template"])
def lint(session: nox.Session) -> None:
    """Check style, types and the files for CI: ruff, mypy, just, shellcheck, actionlint, zizmor and the schemas."""
    session.install(*REQUIREMENTS, "-r", "tests/requirements-lint.txt")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    for justfile in ("justfile", "coverage.just", "tests/chores.just"):
        session.run("just", "--unstable", "--fmt", "--check", "--justfile", justfile)
    session.run("shellcheck", *(str(file) for file in Path(".ci").iterdir()))
    made = Path(session.create_tmp())
    session.run("python", "tests/faces/as_workflows.py", str(made))
    session.run("actionlint")
    session.run("actionlint", "docs/ci/github-actions.yml", *(str(made / name) for name in MADE_WORKFLOWS))
    session.run("zizmor", "--offline", ".github", "docs/ci/github-actions.yml", str(made / "gates.yml"))
    for schema, files in SCHEMAS.items():
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *files)
    session.run("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", str(made / "gates.gitlab-ci.yml"))
    session.run("pre-commit", "validate-config", "docs/ci/pre-commit-config.yaml")


@nox.session(default=False, reuse_venv=True, tags=["template"])
def bench(session: nox.Session) -> None:
    """Compare speed without a spy, with it, and with coverage.py, side by side in one run."""
    session.install(*REQUIREMENTS)
    session.run("python", "tests/bench.py", *session.posargs, env=PATHS)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def faults(session: nox.Session) -> None:
    """Try to lose lines and to alter applications, in every situation of tests/faults; writes docs/faults.md."""
    session.install(INSTALLER, *REQUIREMENTS)
    paths = {"PYTHONPATH": os.pathsep.join((PATHS["PYTHONPATH"], str(TESTS / "faults")))}
    session.run("python", "tests/faults/runner.py", *session.posargs, env=paths, interrupt_timeout=60.0)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def agreement(session: nox.Session) -> None:
    """Compare the recorded lines with coverage.py's, over tests of CPython's own library."""
    session.install(*REQUIREMENTS)
    session.run("python", "tests/agreement.py", *session.posargs, env=PATHS)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def soak(session: nox.Session) -> None:
    """Kill workers under load for half an hour: nothing may be lost, nothing may grow; writes docs/soak.md."""
    session.install(INSTALLER, *REQUIREMENTS)
    more = (str(TESTS / name) for name in ("faults", "soak"))
    paths = {"PYTHONPATH": os.pathsep.join((PATHS["PYTHONPATH"], *more))}
    session.run("python", "tests/soak.py", *session.posargs, env=paths, interrupt_timeout=60.0)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def fuzz(session: nox.Session) -> None:
    """Damage recorded journals at random, for a minute, and check what the reader and the reports make of them."""
    session.install(*REQUIREMENTS)
    session.run("python", "-m", "fuzz", *session.posargs, env=PATHS)


@nox.session(name="bench-portal", default=False, reuse_venv=True, tags=["template"])
def bench_portal(session: nox.Session) -> None:
    """Print how long the portal of a large repository takes to write and to load, and how large it is."""
    session.install(*REQUIREMENTS, "-r", "tests/requirements.txt")
    session.run("python", "tests/portal/bench.py", *session.posargs, env=PATHS)


@nox.session(default=False, reuse_venv=True, tags=["template"])
def screenshots(session: nox.Session) -> None:
    """Photograph the portal for the README; writes docs/portal.png and docs/portal-dark.png."""
    session.install(*REQUIREMENTS, "-r", "tests/requirements.txt", "pillow==13.0.0")
    session.run("python", "tests/portal/screenshots.py", *session.posargs, env=PATHS)
