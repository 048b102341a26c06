"""Repositories as companies have them, measured with no edit: every line that ran, no other, and what is unknown."""

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from e2e.stacks import Repository, docker
from machine import alone_with
from monorepos.monorepo import Monorepo, load_all

pytestmark = pytest.mark.engine


def as_parameter(monorepo: Monorepo):
    marks = [pytest.mark.xfail(reason=monorepo.fails)] if monorepo.fails else []
    return pytest.param(monorepo, id=monorepo.directory.name, marks=marks)


@pytest.mark.parametrize("monorepo", [as_parameter(monorepo) for monorepo in load_all()])
def test_finds_every_line_that_ran_and_no_other(monorepo, tmp_path):
    engine = docker("version", "--format", "{{.Server.Version}}").strip()
    if int(engine.split(".")[0]) < monorepo.engine:
        pytest.skip(f"it takes an engine {monorepo.engine} to build this, and here is {engine}")
    with checked_out(monorepo, tmp_path) as repository:
        before = contents(repository.root)
        measure(monorepo, repository)
        analysis = json.loads(repository.succeed("analyze-coverage", "-q", "--json", **monorepo.environ).stdout)
        assert found(analysis) == expected(monorepo)
        assert findings(analysis, monorepo) == [*monorepo.findings]
        assert repository.executed() == executed(analysis)
        after = contents(repository.root)
        assert {path: after.get(path) for path in before} == before


def measure(monorepo: Monorepo, repository: Repository) -> None:
    try:
        repository.succeed("up-coverage", **monorepo.environ)
        unnamed = unnamed_volumes(repository)
        repository.succeed("test-with-coverage", "--", *monorepo.test, **monorepo.environ)
    finally:
        repository.succeed("down-coverage", **monorepo.environ)
    left = unnamed & {*docker("volume", "ls", "--quiet").split()}
    if left:
        docker("volume", "rm", *left)
    assert not left


def unnamed_volumes(repository: Repository) -> set[str]:
    names = "{{range .Mounts}}{{println .Name}}{{end}}"
    mounted = docker("container", "inspect", "--format", names, *repository.containers()).split()
    return {name for name in mounted if len(name) == 64}


def expected(monorepo: Monorepo) -> dict:
    return {
        name: {
            "runs": {path: monorepo.marked(path, name) for path in sorted(service.runs)},
            "never imported": sorted(service.never_imported),
            "unknown": service.unknown,
            "unmapped": service.unmapped,
            "reason": service.reason,
        }
        for name, service in monorepo.services.items()
    }


def found(analysis: dict) -> dict:
    return {
        name: {
            "runs": {
                path: lines["executed"]
                for path, lines in service["files"].items()
                if path not in service["never_imported"]
            },
            "never imported": service["never_imported"],
            "unknown": service["unknown"],
            "unmapped": service["unmapped"],
            "reason": service["reason"],
        }
        for name, service in analysis["services"].items()
    }


def findings(analysis: dict, monorepo: Monorepo) -> list[str]:
    """Those expected as they are there, by how they begin, and the others whole."""
    return [
        next((begins for begins in monorepo.findings if finding.startswith(begins)), finding)
        for finding in analysis["findings"]
    ]


def executed(analysis: dict) -> dict[str, list[int]]:
    lines = defaultdict(set)
    for service in analysis["services"].values():
        for path, of_file in service["files"].items():
            lines[path] |= {*of_file["executed"]}
    return {path: sorted(numbers) for path, numbers in lines.items()}


@contextmanager
def checked_out(monorepo: Monorepo, place: Path) -> Iterator[Repository]:
    """A clone, with git and submodules, in a directory whose name no other project has; nothing stays behind."""
    name = monorepo.directory.name
    root = place / f"{name}{uuid4().hex[:10]}"
    shutil.copytree(monorepo.directory, root, symlinks=True, ignore=shutil.ignore_patterns("expected.yml"))
    commit_all(monorepo, root, place / "origins")
    repository = Repository(root, monorepo.name)
    beforehand = [("network", n) for n in monorepo.networks] + [("volume", n) for n in monorepo.volumes]
    # Some have names that there are once on a machine, of a container or a network.
    with alone_with(f"monorepos-{name}"):
        try:
            for kind, thing in beforehand:
                docker(kind, "create", thing)
            yield repository
        finally:
            repository.clean_up()
            for kind, thing in beforehand:
                docker(kind, "rm", thing)


def commit_all(monorepo: Monorepo, root: Path, origins: Path) -> None:
    for path in monorepo.submodules:
        shutil.move(root / path, origins / path)
        commit(origins / path)
    if monorepo.git:
        git(root, "init", "--quiet")
        for path in monorepo.submodules:
            git(root, "submodule", "--quiet", "add", (origins / path).as_uri(), path)
        commit(root)


def commit(directory: Path) -> None:
    git(directory, "init", "--quiet")
    git(directory, "add", ".")
    git(directory, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "all")


def git(directory: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "protocol.file.allow=always", *arguments], cwd=directory, check=True)


def contents(root: Path) -> dict[str, bytes]:
    """The repository's own files, without git's."""
    files = (file for file in root.rglob("*") if file.is_file())
    return {path: file.read_bytes() for file in files if not (path := str(file.relative_to(root))).startswith(".git")}
