"""Verdicts that no stack of a test machine provokes for sure."""

import re
from dataclasses import replace

import pytest

from coverage_tasks.doctor import CHECKS, Patient, _of_the_versions
from coverage_tasks.findings import KINDS
from coverage_tasks.project import TOOL
from coverage_tasks.runtimes.compose import engine
from coverage_tasks.sources.images import Image, Interpreter
from coverage_tasks.sources.services import Service


def verdicts(command=(), version="3.13", way="mount", written=()):
    image = Image("i", "i", {}, "/", "", (Interpreter("/usr/bin/python", version, f".cpython-{version}.so"),), {})
    image = replace(image, written=written)
    service = Service("web", image, command=tuple(command))
    patient = Patient("web", {}, service, (), way, False)
    return {verdict.kind: verdict for check in CHECKS for verdict in check(patient)}


def test_image_that_holds_our_files_is_named_with_the_lines_that_keep_them_out():
    found = verdicts(written=("/app/.nox", "/app/coverage-data"))["in-image"]
    assert found.evidence == "its image holds /app/.nox and /app/coverage-data, which measuring left in the repository"
    assert found.remedy == "add .nox and coverage-data to .dockerignore, and build it anew"
    assert found.note


def test_a_shell_is_a_problem_only_where_lines_may_be_missing():
    shell = ["sh", "-c", "true; python main.py"]
    assert verdicts(command=shell)["shell-form"].note
    assert not verdicts(command=shell, version="3.8")["shell-form"].note


def test_every_verdict_belongs_to_a_trouble_that_users_know():
    assert {"no coverage data", "import error", "permission denied", "incomplete coverage"} <= set(KINDS.values())


@pytest.mark.parametrize(
    ("podman", "version", "evidence"),
    [
        (True, "4.3.1", []),
        (True, "3.4.4", ["podman has version 3.4.4"]),
        (False, "20.10.24+dfsg1", []),
        (False, "4.3.1", ["the engine has version 4.3.1"]),
    ],
)
def test_versions_of_podman_are_not_docker_s(monkeypatch, podman, version, evidence):
    for name, value in (("is_podman", podman), ("engine_version", version), ("compose_version", "2.40.3")):
        monkeypatch.setattr(engine, name, lambda value=value: value)
    assert [verdict.evidence for verdict in _of_the_versions()] == evidence


def test_every_kind_of_finding_is_explained():
    page = (TOOL / "docs" / "troubleshooting.md").read_text()
    named = {kind for brackets in re.findall(r"\[([a-z, -]+)\]", page) for kind in brackets.split(", ")}
    assert KINDS.keys() <= named
