"""What lies where a file is expected: read when it is one, named when it is none, and never waited for."""

import os
import socket
from contextlib import chdir
from pathlib import Path

import pytest
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.combined.model import read_combined
from coverage_tasks.configuration import read_configuration
from coverage_tasks.errors import TaskError
from coverage_tasks.files import copy_file, read_end, read_file, read_json, read_text
from coverage_tasks.gates.baseline import Baseline
from coverage_tasks.project import Project
from coverage_tasks.recorded.marks import read_marks
from coverage_tasks.recorded.proof import read_proof
from coverage_tasks.recorded.sightings import read_sightings
from coverage_tasks.runs.store import Run as SavedRun
from coverage_tasks.runs.store import save_run
from coverage_tasks.runtimes import stack
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.runtimes.procfile import read_processes
from coverage_tasks.sources.dockerfile import copied_files


@pytest.fixture
def place(tmp_path):
    """What may lie where a file is expected."""
    with chdir(tmp_path), socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        os.mkfifo("pipe")
        Path("directory").mkdir()
        Path("file").write_text("text")
        Path("link").symlink_to("file")
        Path("loop").symlink_to("loop")
        Path("elsewhere").symlink_to("/etc/hostname")
        Path("device").symlink_to("/dev/zero")
        yield tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [("socket", "a socket"), ("pipe", "a pipe"), ("directory", "a directory"), ("link", "a link"), ("loop", "a link")],
)
@pytest.mark.parametrize("read", [read_file, read_text, read_json, lambda path: read_end(path, 9)])
def test_what_is_no_file_is_named_and_not_even_opened(place, name, kind, read, monkeypatch):
    monkeypatch.setattr(os, "open", None)
    with pytest.raises(TaskError, match=f"/{name} is {kind}: put a file in its place, or remove it"):
        read(place / name)


@pytest.mark.parametrize("name", ["link", "loop", "directory", "pipe", "socket"])
def test_what_takes_the_place_of_a_file_while_it_is_read_is_refused_too(place, name, monkeypatch):
    regular = Path(__file__).stat()
    monkeypatch.setattr(Path, "lstat", lambda self: regular)
    with pytest.raises((TaskError, OSError), match=name):
        read_file(place / name)


def test_a_link_is_followed_as_far_as_it_may_lead(place):
    assert read_file(place / "link", within=place) == b"text"
    for name in ("elsewhere", "device"):
        with pytest.raises(TaskError, match=f"{name} is a link that leads out of {place}: put the file itself in"):
            read_file(place / name, within=place)
    with pytest.raises(TaskError, match="device is a device"):
        read_file(place / "device", within=Path("/"))
    with pytest.raises(TaskError, match="loop is a link"):
        read_file(place / "loop", within=place)


def test_no_more_is_read_than_asked_for(place):
    assert read_file(place / "file", 4) == b"text"
    with pytest.raises(TaskError, match="file has more than 3 bytes: put a smaller file in its place, or remove it"):
        read_file(place / "file", 3)
    with pytest.raises(TaskError, match="has more than 3 bytes"):
        copy_file(place / "file", place / "copy", 3)
    assert read_end(place / "file", 2) == b"xt"
    with pytest.raises(TaskError, match="has more than"):
        read_file(Path("/proc/self/pagemap"))  # says that it has no byte


def test_texts_have_the_lines_that_python_gives_them(place):
    (place / "file").write_bytes(b"a\r\nb\rc\n\xff")
    assert read_text(place / "file", errors="replace") == "a\nb\nc\n\N{REPLACEMENT CHARACTER}"


def test_json_that_is_nested_too_deeply_is_none(place):
    (place / "file").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(place / "file")


def settings(project):
    return read_configuration(project.root)


def procfile(project):
    return read_processes(Project(project.root, "procfile", (project.root / "Procfile",)), {})


READERS = {
    "coverage-spy.yml": settings,
    ".env": lambda project: find_project(project.root, {"COVERAGE_SPY_RUNTIME": "compose"}),
    "Procfile": procfile,
    "Dockerfile": lambda project: list(copied_files(project.root, {"context": str(project.root)})),
    "coverage-baseline.json": Baseline.read,
    "state/stack.json": stack.running,
    "state/combined.json": read_combined,
    "state/sightings.json": read_sightings,
    "state/marks.json": read_marks,
    "state/proof.json": read_proof,
    "main.py": lambda project: SavedRun("now", project.root, {}, {}, {}, {}).text("main.py"),
    "state/coverage.sqlite": lambda project: save_run(project, "main", force=False),
}


@pytest.mark.parametrize("what", ["device", "pipe"])
@pytest.mark.parametrize("name", READERS)
def test_nothing_is_read_that_has_no_end_or_never_comes(tmp_path, name, what, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_STATE", str(tmp_path / "state"))
    run = Run(tmp_path, {"main.py": "a = 1\n", "Procfile": "web: python main.py\n"})
    run.service("web", {"/app/main.py": run.source("main.py")})
    run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})
    combine(run.project)
    file = tmp_path / name
    file.unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/null")  # what would read /dev/zero has read this one
    with pytest.raises(TaskError, match=f"{name} is a") as error:
        READERS[name](run.project)
    assert str(error.value).endswith("in its place, or remove it")
    assert "\n" not in str(error.value)
