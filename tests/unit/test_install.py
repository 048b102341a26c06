"""coverage-install: what it does to each file, and that nothing of the user's is lost."""

import json
from functools import partial

import pytest
from machine import ROOT

from coverage_tasks import install
from coverage_tasks.errors import TaskError
from coverage_tasks.project import DATA
from coverage_tasks.reports.formats import REPORTS

TEMPLATE = {
    "copier.yml": "",
    "noxfile.py": "import nox\n",
    "justfile": "import 'coverage.just'\n",
    "coverage.just": "coverage *arguments:\n    nox\n\nup-coverage *arguments:\n    nox\n",
    "coverage-spy/sitecustomize.py": "import coverage_spy\n",
    "coverage-spy/coverage_spy/journal.py": "KIND = 1\n",
    "scripts/coverage_tasks/cli.py": "TASKS = ()\n",
    "scripts/requirements.txt": "coverage\n",
    "tests/test_it.py": "",
    "README.md": "# coverage-spy\n",
}
LEFTOVERS = (
    "coverage-spy/payload/tracer.so",
    "coverage-spy/__pycache__/x.pyc",
    "scripts/coverage_tasks/__pycache__/cli.pyc",
    "coverage-spy/installed.json",
)
INSTALLED = sorted(name for name in TEMPLATE if name not in ("copier.yml", "tests/test_it.py", "README.md"))


def write(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def tree(root):
    """Every file below a directory with its text, links as what they point to; without the stamp."""
    return {
        path.relative_to(root).as_posix(): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if (path.is_file() or path.is_symlink()) and path.name != "installed.json"
    }


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "coverage-spy"
    write(root, TEMPLATE | dict.fromkeys(LEFTOVERS, "left over\n"))
    return root


@pytest.fixture
def host(tmp_path):
    root = tmp_path / "host"
    write(root, {"orders/main.py": "print(1)\n"})
    return root


def put_into(host, source, prefix="", keep=()):
    """Installs as the task does, and says what became of the files."""
    plan = install.make_plan(host, prefix, keep, source)
    if refused := install.refusals(plan):
        raise TaskError("; ".join(refused))
    install.carry_out(plan)
    return plan


@pytest.fixture
def put(source, host):
    return partial(put_into, host, source)


def refuse(host, source, prefix="", keep=(), match=""):
    before = tree(host)
    with pytest.raises(TaskError, match=match) as error:
        put_into(host, source, prefix, keep)
    assert tree(host) == before
    return str(error.value)


A, B, C = "a" * 64, "b" * 64, "c" * 64


@pytest.mark.parametrize(
    ("new", "recorded", "found", "file", "face"),
    [
        (A, None, None, "added", "added"),
        (A, None, A, "unchanged", "unchanged"),
        (A, None, B, "in the way", "yours"),
        (A, A, A, "unchanged", "unchanged"),
        (A, A, B, "kept", "yours"),
        (A, A, None, "restored", "left out"),
        (B, A, A, "updated", "updated"),
        (B, A, B, "unchanged", "unchanged"),
        (B, A, C, "conflict", "yours"),
        (B, A, None, "restored", "left out"),
        (None, A, A, "removed", "removed"),
        (None, A, B, "kept", "kept"),
        (None, A, None, "gone", "gone"),
    ],
)
def test_what_becomes_of_a_file(new, recorded, found, file, face):
    assert install.fate_of("scripts/coverage_tasks/cli.py", new, recorded, found) == file
    assert install.fate_of("noxfile.py", new, recorded, found) == face


@pytest.mark.parametrize(
    ("prefix", "place"),
    [("", ""), (".", ""), ("tools/coverage", "tools/coverage/"), ("./a/../b/", "b/"), (".tools", ".tools/")],
)
def test_installs_what_is_needed_and_nothing_else(put, host, prefix, place):
    plan = put(prefix)
    assert tree(host) == {f"{place}{name}": TEMPLATE[name] for name in INSTALLED} | {"orders/main.py": "print(1)\n"}
    assert plan.place == place
    assert json.loads((host / place / install.STAMP).read_text())["files"].keys() == {*INSTALLED}


def test_again_is_the_same(put, host):
    put()
    stamp = (host / install.STAMP).read_bytes()
    assert set(put().fates.values()) == {"unchanged"}
    assert (host / install.STAMP).read_bytes() == stamp


def test_a_copy_made_by_hand_is_taken_over(put, host, source):
    write(host, {name: TEMPLATE[name] for name in INSTALLED})
    put()
    write(source, {"coverage.just": "new\n"})
    assert put().having("updated") == ["coverage.just"]


def test_update_replaces_what_the_user_left_alone(put, host, source):
    put("tools")
    write(host / "tools", {"scripts/requirements.txt": "coverage\nmine\n"})
    write(source, {"coverage-spy/sitecustomize.py": "new\n", "scripts/coverage_tasks/doctor.py": "new\n"})
    (source / "coverage-spy/coverage_spy/journal.py").unlink()
    plan = put("tools")
    assert plan.having("updated") == ["coverage-spy/sitecustomize.py"]
    assert plan.having("added") == ["scripts/coverage_tasks/doctor.py"]
    assert plan.having("kept") == ["scripts/requirements.txt"]
    assert plan.having("removed") == ["coverage-spy/coverage_spy/journal.py"]
    assert not (host / "tools/coverage-spy/coverage_spy").exists()
    assert (host / "tools/scripts/requirements.txt").read_text() == "coverage\nmine\n"
    assert "kept, because you changed it: scripts/requirements.txt" in install.summary(plan, False)
    assert put("tools").having("kept") == ["scripts/requirements.txt"]


def test_a_change_of_both_sides_is_refused_until_it_is_settled(put, host, source):
    put()
    for name in ("coverage.just", "scripts/requirements.txt"):
        write(host, {name: "mine\n"})
        write(source, {name: "theirs\n"})
    write(source, {"coverage-spy/sitecustomize.py": "new\n"})
    said = refuse(host, source, match="both you and coverage-spy changed in")
    assert (
        f"{host}: coverage.just, scripts/requirements.txt; `diff {host}/coverage.just {source}/coverage.just`" in said
    )
    write(host, {"scripts/requirements.txt": "theirs\n"})
    refuse(host, source, match="--keep coverage.just")
    assert put(keep=["coverage.just"]).having("kept") == ["coverage.just"]
    assert (host / "coverage.just").read_text() == "mine\n"
    assert (host / "coverage-spy/sitecustomize.py").read_text() == "new\n"
    assert put().having("kept") == ["coverage.just"]
    write(source, {"coverage.just": "theirs again\n"})
    refuse(host, source, match="--keep coverage.just")


def test_keep_is_for_what_was_refused(put, host, source):
    put()
    refuse(host, source, keep=["coverage.just"], match="--keep names coverage.just, which is not among")
    refuse(host, source, keep=["../x"], match=r"--keep names \.\./x, which is not among")


def test_what_the_user_deleted_comes_back_but_for_the_faces(put, host):
    put()
    for name in ("noxfile.py", "justfile", "coverage.just"):
        (host / name).unlink()
    for _ in range(2):
        plan = put()
        assert plan.having("left out") == ["justfile", "noxfile.py"]
        assert not (host / "noxfile.py").exists()
    assert (host / "coverage.just").is_file()
    assert "not restored, because you deleted it: justfile" in install.summary(plan, False)
    assert install.mounts(plan) == {}


def test_what_is_gone_from_the_template_and_was_changed_stays(put, host, source):
    put()
    write(host, {"scripts/requirements.txt": "mine\n"})
    (source / "scripts/requirements.txt").unlink()
    assert put().having("kept") == ["scripts/requirements.txt"]
    assert (host / "scripts/requirements.txt").read_text() == "mine\n"
    assert "scripts/requirements.txt" not in put().fates


def test_anything_in_the_way_and_nothing_is_written(host, source):
    write(host, {"scripts/requirements.txt": "mine\n", "coverage.just/file": "a directory\n"})
    said = refuse(host, source, match="other files are in the way in")
    assert "coverage.just, scripts/requirements.txt; " in said
    assert "--prefix" in said


def test_a_file_where_a_directory_belongs_is_in_the_way(host, source):
    write(host, {"scripts": "a file\n"})
    refuse(host, source, match="in the way in .*: scripts/coverage_tasks/cli.py, scripts/requirements.txt;")


# Symbolic links.


def test_a_directory_that_leads_elsewhere_is_refused(tmp_path, host, source):
    (tmp_path / "elsewhere").mkdir()
    (host / "scripts").symlink_to(tmp_path / "elsewhere")
    refuse(host, source, match=rf"{host}/scripts(/coverage_tasks)? leads out of {host}: replace the symbolic link")
    (host / "tools").symlink_to(tmp_path / "elsewhere")
    refuse(host, source, "tools", match=f"--prefix tools leads out of {host}: name a directory inside it")
    refuse(host, source, "tools/coverage", match="leads out of")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_is_a_link_is_in_the_way_even_with_the_same_content(host, source):
    (host / "coverage.just").symlink_to(source / "coverage.just")
    refuse(host, source, match=r"in the way in .*: coverage\.just;")


def test_a_link_that_stays_inside_is_a_directory_like_others(put, host):
    (host / "build").mkdir()
    (host / "tools").symlink_to("build")
    put("tools")
    assert (host / "build/coverage.just").read_text() == TEMPLATE["coverage.just"]


def test_nothing_is_written_through_a_link_that_waits_beside(tmp_path, put, host):
    (tmp_path / "victim").write_text("mine\n")
    (host / "coverage.just.coverage-spy").symlink_to(tmp_path / "victim")
    put()
    assert (tmp_path / "victim").read_text() == "mine\n"
    assert tree(host)["coverage.just"] == TEMPLATE["coverage.just"]


def test_nothing_is_removed_through_a_link_that_came_later(tmp_path, put, host, source):
    put()
    (host / "coverage-spy/coverage_spy").rename(tmp_path / "elsewhere")
    (host / "coverage-spy/coverage_spy").symlink_to(tmp_path / "elsewhere")
    (source / "coverage-spy/coverage_spy/journal.py").unlink()
    refuse(host, source, match="leads out of")
    assert (tmp_path / "elsewhere/journal.py").is_file()


# Nowhere to install.


def test_a_destination_that_is_none(tmp_path, host, source):
    for destination, sentence in [
        (tmp_path / "nowhere", "does not exist: name the repository"),
        (host / "orders/main.py", "is not a directory: name the repository"),
        (host / "orders/main.py/x", "does not exist: name the repository"),
        (source, "is coverage-spy itself: name the repository"),
    ]:
        with pytest.raises(TaskError, match=sentence):
            install.make_plan(destination, source=source)


@pytest.mark.parametrize(
    ("prefix", "sentence"),
    [
        ("..", r"--prefix \.\. leads out of"),
        ("../coverage-spy", "is coverage-spy itself"),
        ("/tmp", "--prefix /tmp leads out of"),
        ("orders/main.py", "--prefix orders/main.py is not a directory"),
    ],
)
def test_a_prefix_that_is_none(host, source, prefix, sentence):
    refuse(host, source, prefix, match=sentence)


def test_a_disk_that_is_full_leaves_whole_files_and_can_be_repeated(put, host, source, monkeypatch):
    put()
    write(source, {"coverage.just": "new\n", "scripts/requirements.txt": "new\n"})
    write_bytes = install._write

    def full(file, content):
        if file.name == "requirements.txt":
            file = file.with_name("x" * 255)  # no name beside it fits, so that the system refuses
        write_bytes(file, content)

    monkeypatch.setattr(install, "_write", full)
    with pytest.raises(TaskError, match="correct this, and install again"):
        put()
    monkeypatch.undo()
    assert tree(host)["coverage.just"] == "new\n"
    assert tree(host)["scripts/requirements.txt"] == "coverage\n"
    assert put().having("updated") == ["scripts/requirements.txt"]
    assert not list(host.rglob("*.coverage-spy"))


def test_an_installed_copy_installs_nothing(put, host, tmp_path):
    put()
    (tmp_path / "third").mkdir()
    with pytest.raises(TaskError, match=f"{host} is an installed copy: run coverage-install in a checkout"):
        install.make_plan(tmp_path / "third", source=host)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"version": 2, "files": {}}', '{"version": 1, "files": []}', "\0"]
)
def test_a_damaged_stamp_is_named(put, host, source, content):
    put()
    (host / install.STAMP).write_text(content)
    refuse(
        host, source, match=r"installed\.json cannot be read \(.*\): remove it, and whatever differs counts as yours"
    )


def test_a_stamp_that_names_files_elsewhere_removes_none(put, host, source, tmp_path):
    put()
    write(tmp_path, {"other.py": "x\n"})
    stamp = json.loads((host / install.STAMP).read_text())
    stamp["files"]["../other.py"] = install._digest(tmp_path / "other.py")
    (host / install.STAMP).write_text(json.dumps(stamp))
    refuse(host, source, match="leads out of")


# What is the repository's own.


def test_own_noxfile_and_justfile_stay_and_get_the_lines_that_mount(put, host):
    write(host, {"noxfile.py": "import nox\n# mine\n", "justfile": "own:\n    echo own\n"})
    before = tree(host)
    lines = install.mounts(put())
    assert lines == {
        "noxfile.py": 'import sys\nsys.path.append("scripts")\nimport coverage_sessions\ncoverage_sessions.mount()\n',
        "justfile": "import 'coverage.just'\n",
    }
    assert {name: tree(host)[name] for name in before} == before
    for name, text in lines.items():
        with (host / name).open("a") as file:
            file.write(text)
    assert install.mounts(put()) == {}


def test_below_a_prefix_the_lines_name_it(put, host):
    plan = put("tools/coverage")
    assert install.mounts(plan) == {
        "noxfile.py": "import sys\n"
        'sys.path.append("tools/coverage/scripts")\nimport coverage_sessions\ncoverage_sessions.mount()\n',
        "justfile": "import 'tools/coverage/coverage.just'\n",
    }
    assert "At the end of justfile:\n\n    import 'tools/coverage/coverage.just'" in install.summary(plan, False)


@pytest.mark.parametrize("name", ["Justfile", ".justfile", "JUSTFILE"])
def test_a_justfile_of_another_spelling_is_the_repositorys_own(put, host, name):
    write(host, {name: "own:\n    echo own\n"})
    plan = put()
    assert not (host / "justfile").exists()
    assert install.mounts(plan) == {name: "import 'coverage.just'\n"}


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("coverage:\n    pytest\n", "mod spy"),
        ("@coverage target='all': build\n    pytest\n", "mod spy"),
        ("build:\nup-coverage *x:\n    pytest\n", "mod spy"),
        ("alias coverage := build\nbuild:\n", "mod spy"),
        ("coverage-all:\nmy-coverage:\nbuild: coverage-all\n    coverage: x\n", "import"),
        ("coverage := 'x'\nset shell := ['bash', '-c']\n# coverage: all\n", "import"),
    ],
)
def test_a_justfile_that_defines_one_of_the_names_gets_a_module(put, host, text, statement):
    write(host, {"justfile": text})
    plan = put()
    assert install.mounts(plan)["justfile"] == f"{statement} 'coverage.just'\n"
    assert ("`just spy coverage`" in install.summary(plan, False)) == (statement == "mod spy")


# The task itself, on the template itself.


def test_the_license_goes_along():
    assert (ROOT / "coverage-spy" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_lines_are_shown_that_keep_our_files_out_of_git_and_of_images(put, host):
    write(host, {".gitignore": "/htmlcov/\ncoverage-data\n", ".dockerignore": "\n".join(install.LEFT)})
    plan = put()
    assert list(install.ignores(plan)) == [".gitignore"]
    assert {"htmlcov", "coverage-data"}.isdisjoint(install.ignores(plan)[".gitignore"])
    assert "In .gitignore:\n\n    .coverage\n    .nox\n" in install.summary(plan, dry_run=False)
    (host / ".dockerignore").unlink()
    assert "In .dockerignore, where an image is built from this directory:\n" in install.summary(plan, dry_run=False)


def test_every_report_is_among_the_lines_for_ignore_files():
    assert {*(report.file.partition("/")[0] for report in REPORTS), DATA, ".coverage"} <= {*install.LEFT}
    settings = (ROOT / "docs" / "settings.md").read_text()
    assert "\n".join(f"    {line}" for line in install.LEFT) in settings
