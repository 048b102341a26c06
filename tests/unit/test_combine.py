"""Combining: lines land on the files they ran in, what is not known is named, what was never imported counts."""

import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from coverage import CoverageData
from data_files import executed
from journal_files import Run, file_words, line_word, sentences, write, write_lines

from coverage_spy import refusals
from coverage_tasks.combined.combine import FOREIGN, combine
from coverage_tasks.combined.findings import REFUSALS
from coverage_tasks.combined.model import read_combined
from coverage_tasks.combined.otherwise import COMPILED, NOT_RECORDED, OMITTED, PACKED
from coverage_tasks.errors import TaskError
from coverage_tasks.recorded.journals import find_journals
from coverage_tasks.recorded.stack import read_stack, write_stack
from coverage_tasks.sources.maps import DRAW

FILES = {
    "orders/main.py": "a = 1\nb = 2\nc = 3\n",
    "orders/idle.py": "x = 1\n",
    "orders/api/routes.py": "def get():\n    return 1\n",
    "orders/tests/test_main.py": "import main\n",
    "catalog/main.py": "catalog = 1\nd = 2\n",
    "libs/pricing/pricing/rates.py": "RATE = 1\nTAX = 2\n",
    "tools/release.py": "pass\n",
}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, FILES)
    rates = {"/app/pricing/rates.py": run.source("libs/pricing/pricing/rates.py")}
    orders = {f"/app/{path}": run.source(f"orders/{path}") for path in ("main.py", "idle.py", "api/routes.py")}
    run.service("orders", orders | rates)
    run.service("catalog", {"/app/main.py": run.source("catalog/main.py")} | rates)
    return run


def run_both(run):
    rates = run.source("libs/pricing/pricing/rates.py")
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1, 2]), "/app/pricing/rates.py": (rates, [1])})
    run.lines(
        "catalog", {"/app/main.py": (run.source("catalog/main.py"), [2]), "/app/pricing/rates.py": (rates, [1, 2])}
    )


def test_two_services_with_the_same_path_are_two_files(run):
    run_both(run)
    combine(run.project)
    assert executed(run) == {
        "orders": {"orders/main.py": {1, 2}, "libs/pricing/pricing/rates.py": {1}},
        "catalog": {"catalog/main.py": {2}, "libs/pricing/pricing/rates.py": {1, 2}},
    }


def test_all_processes_of_a_service_count(run):
    for line in (1, 3):
        run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [line])})
    assert combine(run.project).services["orders"].processes.all == 2
    assert executed(run)["orders"] == {"orders/main.py": {1, 3}}


def test_what_the_image_holds_and_nobody_imported_counts(run):
    run_both(run)
    orders = combine(run.project).services["orders"]
    assert orders.files == [
        "libs/pricing/pricing/rates.py",
        "orders/api/routes.py",
        "orders/idle.py",
        "orders/main.py",
    ]
    assert orders.never_imported == ["orders/api/routes.py", "orders/idle.py"]
    data = CoverageData(str(run.project.coverage_file))
    data.read()
    assert data.measured_files() == {*orders.files, "catalog/main.py"}


def test_a_test_counts_once_a_service_runs_it(run):
    tests = {"/app/tests/test_main.py": run.source("orders/tests/test_main.py")}
    run.service("orders", {"/app/main.py": run.source("orders/main.py")} | tests)
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1])})
    assert combine(run.project).services["orders"].files == ["orders/main.py"]
    run.lines("orders", {"/app/tests/test_main.py": (*tests.values(), [1])})
    assert combine(run.project).services["orders"].files == ["orders/main.py", "orders/tests/test_main.py"]


def test_a_drifted_file_is_unknown_and_not_painted(run):
    run_both(run)
    (run.project.root / "orders/main.py").write_text("another = 1\n")
    combined = combine(run.project)
    assert "orders/main.py" not in combined.files
    assert "rebuild the image" in combined.unknown["orders/main.py"]
    assert executed(run)["orders"] == {"libs/pricing/pricing/rates.py": {1}}
    assert any("orders/main.py" in finding for finding in sentences(combined.findings))


def test_a_stale_file_of_the_image_that_nobody_imported_is_unknown_too(run):
    run_both(run)
    (run.project.root / "orders/idle.py").write_text("another = 1\n")
    assert list(combine(run.project).services["orders"].unknown) == ["orders/idle.py"]


def test_a_file_that_ran_and_is_not_in_the_repository_is_named(run):
    run_both(run)
    run.lines("orders", {"/app/version.py": (b"v = 1\n", [1])})
    combined = combine(run.project)
    assert combined.services["orders"].unmapped == {"/app/version.py": "it is only in the container"}
    assert any("/app/version.py" in finding for finding in sentences(combined.findings))


def test_installed_libraries_are_not_worth_a_word(run):
    run_both(run)
    run.lines("orders", {"/usr/local/lib/python3.12/site-packages/flask/app.py": (b"f = 1\n", [1])})
    assert combine(run.project).services["orders"].unmapped == {}


def test_a_bind_mount_shows_all_of_its_directory_and_hides_the_image(run):
    run.service("catalog", {"/app/main.py": b"stale = 1\n"}, binds=[["/app", "orders"]])
    run.lines("catalog", {"/app/main.py": (run.source("orders/main.py"), [1])})
    catalog = combine(run.project).services["catalog"]
    assert catalog.files == ["orders/api/routes.py", "orders/idle.py", "orders/main.py"]
    assert catalog.unknown == {}


def test_mounted_repository_counts_by_import_roots(run):
    (run.project.root / "libs/pricing/pricing/__init__.py").write_text("")
    (run.project.root / "libs/pricing/beside.py").write_text("b = 1\n")
    run.service("orders", {}, binds=[["/src", "."]])
    rates = run.source("libs/pricing/pricing/rates.py")
    main = run.source("orders/main.py")
    run.lines("orders", {"/src/orders/main.py": (main, [1]), "/src/libs/pricing/pricing/rates.py": (rates, [1])})
    assert combine(run.project).services["orders"].files == [
        "libs/pricing/beside.py",
        "libs/pricing/pricing/__init__.py",
        "libs/pricing/pricing/rates.py",
        "orders/api/routes.py",
        "orders/idle.py",
        "orders/main.py",
    ]


def test_processes_of_a_procfile_run_on_the_repository_itself(tmp_path):
    run = Run(tmp_path, FILES, "procfile")
    run.service("orders")
    run.lines("orders", {f"{tmp_path}/orders/main.py": (run.source("orders/main.py"), [1])})
    combined = combine(run.project)
    assert executed(run) == {"orders": {"orders/main.py": {1}}}
    assert combined.services["orders"].files == ["orders/api/routes.py", "orders/idle.py", "orders/main.py"]


def test_a_service_that_sent_nothing_is_named_and_its_files_are_unknown(run):
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1])})
    combined = combine(run.project)
    assert combined.services["catalog"].silent
    assert combined.unknown == {"catalog/main.py": "its service sent nothing"}
    assert any(finding.startswith("catalog: it sent nothing") for finding in sentences(combined.findings))


def test_a_service_that_is_not_measured_is_unknown_not_0_percent(run):
    run.service("catalog", {"/app/main.py": run.source("catalog/main.py")}, measured=False, reason="only Python 3.7")
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1])})
    combined = combine(run.project)
    assert not combined.services["catalog"].silent
    assert combined.unknown == {"catalog/main.py": "its service is not measured: only Python 3.7"}


def test_a_service_without_python_is_nothing_to_know_about(run):
    run.service("web", {"/app/main.py": run.source("orders/main.py")}, measured=False, interpreters=[], reason="nginx")
    run_both(run)
    combined = combine(run.project)
    assert (combined.unknown, sentences(combined.findings)) == ({}, [])


def test_processes_are_counted_with_what_is_not_known_of_them(run):
    main = {"/app/main.py": (run.source("orders/main.py"), [1])}
    run.lines("orders", main, process="a", engine="tracer")
    run.lines("orders", {}, process="a", segment=1, engine="tracer")
    run.arcs("orders", {}, process="b")
    run.lines("orders", {}, process="b", segment=1, engine="tracer")  # opened ahead of its need
    run.lines("orders", main, process="c", engine="none", refusals=["PyPy is not measured"])
    run.lines("orders", main, process="d", refusals=[{"code": "rival", "evidence": []}])
    combined = combine(run.project)
    processes = combined.services["orders"].processes
    assert [(process.id, process.state, process.lines) for process in processes.known] == [
        ("a", "end unknown", 1),
        ("b", "complete", 0),
        ("c", "not measured", 1),
        ("d", "partly measured", 1),
    ]
    assert (processes.without_lines, processes.not_measured, processes.end_unknown) == (1, 1, 1)
    assert (processes.partly_measured, processes.unaccounted) == (1, True)
    assert "orders: PyPy is not measured (1 process)" in sentences(combined.findings)


@pytest.mark.parametrize(
    ("refusal", "kind", "sentence"),
    [
        ("it is too old", "refused", "it is too old"),
        (("interpreter",), "refused", "no engine measures this interpreter: CPython 3.8 or newer is needed"),
        (("directory", "/c", "EACCES", "Permission denied"), "not-writable", "cannot write in /c: Permission denied"),
        (("directory", "/c", "ENOSPC", "Kein Platz"), "disk-space", "cannot write in /c: Kein Platz"),
        (("directory", "/c", "EDQUOT", "Quota"), "disk-space", "cannot write in /c: Quota"),
        (("switch", "NAME", "{0}"), "refused", "NAME={0} is neither true nor false: taken as false"),
        (("directory",), "not-writable", "directory"),  # forged: a code without its evidence
        (("newer", "x", "y"), "refused", "newer: x: y"),
    ],
)  # fmt: skip
def test_a_refusal_is_a_finding_by_its_code(run, refusal, kind, sentence):
    run_both(run)
    code = refusal if isinstance(refusal, str) else {"code": refusal[0], "evidence": list(refusal[1:])}
    run.lines("orders", {}, refusals=[code])
    (found,) = combine(run.project).findings
    assert (found.kind, found.evidence) == (kind, f"{sentence} (1 process)")


def test_every_code_of_the_spy_has_a_sentence():
    codes = {value for name, value in vars(refusals).items() if name.isupper()}
    assert codes == REFUSALS.keys()


def test_a_service_whose_processes_ran_nothing_that_is_measured_is_named(run):
    run_both(run)
    assert sentences(combine(run.project).findings) == []
    run.service("worker", {})
    run.lines("worker", {})
    run.service("jobs", {})
    run.lines("jobs", {"/build/lib/made.py": (b"made = 1\n", [1])})
    combined = combine(run.project)
    assert [finding.partition(",")[0] for finding in sentences(combined.findings)] == [
        "jobs: none of its 1 process ran code that is known to be of the repository: let it run its sources",
        "jobs: /build/lib/made.py is not mapped: it is only in the container",
        "worker: none of its 1 process ran code that is measured: let it run its sources",
    ]
    assert {name for name, result in combined.services.items() if result.why_unknown} == {"jobs", "worker"}


@pytest.mark.parametrize("text", ["", "[]", '{"services": 7}', '{"services": {}}', '{"runtime": "compose"}'])
def test_a_damaged_stack_file_loses_no_lines(run, text):
    run_both(run)
    (run.project.state / "stack.json").write_text(text)
    combine(run.project)
    assert executed(run)["catalog"]["catalog/main.py"] == {2}


def test_arcs_make_branch_data(run):
    run.arcs("orders", {"/app/api/routes.py": (run.source("orders/api/routes.py"), [(-1, 1), (1, -1)])})
    assert combine(run.project).branch
    data = CoverageData(str(run.project.coverage_file))
    data.read()
    assert data.has_arcs()
    assert set(data.arcs("orders/api/routes.py")) == {(-1, 1), (1, -1)}
    assert executed(run) == {"orders": {"orders/api/routes.py": {1}}}


@pytest.mark.parametrize(("python", "expected"), [("3.8.18", {1, 2}), ("3.9.18", {1, 2}), ("3.10.1", {2})])
def test_an_old_pythons_endless_loop_ran_when_its_body_did(run, python, expected):
    (run.project.root / "orders/idle.py").write_text("while True:\n    x = 1\n")
    source = run.source("orders/idle.py")
    run.service("orders", {"/app/main.py": run.source("orders/main.py"), "/app/idle.py": source})
    run.lines("orders", {"/app/idle.py": (source, [2])}, python=python)
    combine(run.project)
    assert executed(run) == {"orders": {"orders/idle.py": expected}}


def test_lines_and_arcs_together_are_lines_and_said_to_be(run):
    run.arcs("orders", {"/app/main.py": (run.source("orders/main.py"), [(-1, 1), (1, 2), (2, -1)])})
    run.lines("catalog", {"/app/main.py": (run.source("catalog/main.py"), [1])})
    combined = combine(run.project)
    assert not combined.branch
    assert executed(run) == {"orders": {"orders/main.py": {1, 2}}, "catalog": {"catalog/main.py": {1}}}
    assert any(f.startswith("catalog recorded lines and orders branches") for f in sentences(combined.findings))


def test_what_cannot_be_read_is_a_finding_and_the_rest_is_combined(run):
    run_both(run)
    (run.project.journals / "f.journal").write_bytes(b"noise")
    damaged = run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [3])})
    damaged.write_bytes(damaged.read_bytes() + b"\xff" * 16)
    combined = combine(run.project)
    assert [text.split("/")[-1].partition(",")[0] for text in sentences(combined.damage)] == [
        "f.journal is not a journal: remove it from the data directory",
        "0000000000000003.journal holds 2 records that nobody can read",
    ]
    assert sentences(combined.findings) == sentences(combined.damage)
    assert sentences(read_combined(run.project).damage) == sentences(combined.damage)
    assert executed(run)["catalog"]["catalog/main.py"] == {2}
    assert executed(run)["orders"]["orders/main.py"] == {1, 2, 3}


def test_a_process_killed_while_it_opened_its_journal_is_no_damage(run):
    run_both(run)
    (run.project.journals / "f.journal").write_bytes(b"")
    (run.project.journals / "g.journal").write_bytes(bytes(4096))
    combined = combine(run.project)
    assert sentences(combined.damage) == []
    assert sentences(combined.findings) == ["of 2 processes nothing is known: killed at the very start"]


def test_a_run_that_left_no_journal_is_one_of_which_nothing_is_known(run):
    run.service("old", {}, measured=False, reason="its image has only Python 3.7", interpreters=("3.7",))
    combined = combine(run.project)
    assert {name: result.why_unknown for name, result in combined.services.items()} == {
        "catalog": "its service sent nothing",
        "old": "its service is not measured: its image has only Python 3.7",
        "orders": "its service sent nothing",
    }
    assert combined.empty


def test_nothing_to_combine_is_said_with_the_remedy(run):
    (run.project.state / "stack.json").unlink()
    with pytest.raises(TaskError, match="up-coverage first"):
        combine(run.project)
    (run.project.journals / "f.journal").write_bytes(b"noise")
    with pytest.raises(TaskError, match=r"f\.journal is not a journal: remove it from the data directory$"):
        combine(run.project)
    (run.project.journals / "g.journal").write_bytes(b"noise")
    with pytest.raises(TaskError, match=r"f\.journal is not a journal.*; so it is with all 2 of "):
        combine(run.project)
    assert not run.project.coverage_file.exists()


def test_journals_stay_and_a_second_combine_writes_the_same(run):
    run_both(run)
    first = combine(run.project)
    journals = find_journals(run.project.journals)
    assert combine(run.project) == first
    assert find_journals(run.project.journals) == journals
    assert not list(run.project.state.glob(".coverage-*"))


def test_what_was_combined_can_be_read_back(run):
    run_both(run)
    combined = combine(run.project)
    assert json.dumps(read_combined(run.project).services["orders"].files) == json.dumps(
        combined.services["orders"].files
    )
    assert sentences(read_combined(run.project).findings) == sentences(combined.findings)
    with pytest.raises(TaskError, match="coverage-combine first"):
        read_combined(replace(run.project, root=run.project.root / "orders"))


def test_hostile_names_neither_break_nor_reach_the_terminal(run):
    run.lines("evil\ud800\x1b[2J", {"/app/\x1b]0;x.py": (b"a = 1\n", [1])}, refusals=["line\nbreak"])
    combined = combine(run.project)
    assert all(finding.isprintable() for finding in sentences(combined.findings))
    assert any("\\x1b" in finding for finding in sentences(combined.findings))


@pytest.mark.parametrize("runtime", ["compose", "procfile"])
def test_a_file_whose_name_is_no_text_is_said_and_not_combined(tmp_path, runtime):
    name = os.fsdecode(b"caf\xe9.py")
    run = Run(tmp_path, {"orders/main.py": "a = 1\n", f"orders/{name}": "b = 2\n"}, runtime)
    place = tmp_path / "orders" if runtime == "procfile" else Path("/app")
    path = place / name
    words = file_words(0, os.fsencode(path), b"b = 2\n")
    write(run.place("orders") / "a.journal", [*words, line_word(0, os.fsencode(path), b"b = 2\n", 1)], service="orders")
    run.lines("orders", {str(place / "main.py"): (run.source("orders/main.py"), [1])})
    combined = combine(run.project)
    assert executed(run) == {"orders": {"orders/main.py": {1}}}
    assert combined.services["orders"].unmapped == {
        str(path): "its name is not UTF-8, and no report can hold it: rename the file"
    }
    assert any("caf\\udce9.py is not mapped" in finding for finding in sentences(combined.findings))


def test_journals_without_a_stack_are_mapped_by_what_they_hold(run):
    run_both(run)
    (run.project.state / "stack.json").unlink()
    combine(run.project)
    assert executed(run)["catalog"] == {"catalog/main.py": {2}, "libs/pricing/pricing/rates.py": {1, 2}}


def test_an_unwritable_root_is_said(run, monkeypatch):
    run_both(run)
    run.project.coverage_file.mkdir()
    with pytest.raises(TaskError, match="cannot write"):
        combine(run.project)


def test_journal_is_of_the_service_in_whose_directory_it_lies(run):
    run_both(run)
    combine(run.project)
    before = executed(run)
    lines = {"/app/main.py": (run.source("catalog/main.py"), [1, 2])}
    write_lines(run.place("orders") / "f.journal", lines, service="catalog\x1b[2J", process="f")
    combined = combine(run.project)
    assert executed(run)["catalog"] == before["catalog"]
    (finding,) = [finding for finding in sentences(combined.findings) if "said to be of" in finding]
    assert finding.startswith("orders: 1 process said to be of catalog\\x1b[2J, and counts for orders")


def test_a_file_that_is_too_large_for_a_source_is_a_finding(tmp_path):
    run = Run(tmp_path, {"main.py": "a = 1\n", "big.py": ""})
    os.truncate(tmp_path / "big.py", 1 << 40)
    run.service("web", {"/app/main.py": run.source("main.py")})
    run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})
    (finding,) = sentences(combine(run.project).findings)
    assert finding == "big.py is left out: it has more than 16777216 bytes: make it smaller, or let git ignore it"


def test_what_was_combined_is_of_the_run_that_says_so_whatever_the_clock_says(tmp_path):
    run = Run(tmp_path, {"main.py": "a = 1\n"})
    run.service("web", {"/app/main.py": run.source("main.py")})
    run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})

    def start(name, at):
        write_stack(run.project.state, replace(read_stack(run.project.state), run=name, started=at))

    start("first", 4e9)  # the clock was set back since
    combine(run.project)
    assert read_combined(run.project).run == "first"
    start("second", 1.0)  # and again
    with pytest.raises(TaskError, match="nothing has been combined since the services were started"):
        read_combined(run.project)
    combine(run.project)
    assert read_combined(run.project).run == "second"
    (run.project.state / "stack.json").unlink()  # a copy of what services wrote may have none
    assert read_combined(run.project).run == "second"


def test_thousands_of_journals_of_one_kind_are_one_sentence(tmp_path):
    run = Run(tmp_path, {"main.py": "a = 1\n"})
    run.service("web", {"/app/main.py": run.source("main.py")})
    run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})
    for number in range(2000):
        (run.place("web") / f"f{number:04}.journal").write_bytes(b"noise")
    for number in range(60):
        journal = run.lines("web", {}, refusals=[f"refusal {number} " + "x" * 30_000])
        journal.write_bytes(journal.read_bytes() + b"\xff" * 16)
    found = combine(run.project)
    assert found.damaged == 2060
    noise, words = sentences(found.damage)
    place = run.place("web")
    assert noise == (
        f"{place}/f0000.journal is not a journal, and so it is with 1999 others, such as {place}/f0001.journal and "
        f"{place}/f0002.journal: remove it from the data directory"
    )
    assert "holds records that nobody can read, the others count, and so it is with 59 others, such as" in words
    told = sentences(found.findings)
    assert told[-1] == "web: 40 more findings of this kind, which are too many to be shown"
    assert max(map(len, told)) < 1100
    assert {finding.kind for finding in found.findings} == {"damaged", "refused"}
    assert len(found.findings) < 30


def test_few_journals_of_one_kind_are_named_each(tmp_path):
    run = Run(tmp_path, {"main.py": "a = 1\n"})
    run.service("web", {"/app/main.py": run.source("main.py")})
    run.lines("web", {"/app/main.py": (run.source("main.py"), [1])})
    for number in range(3):
        (run.place("web") / f"f{number}.journal").write_bytes(b"noise")
    found = combine(run.project)
    assert [text.partition(" ")[0].rpartition("/")[2] for text in sentences(found.damage)] == [
        f"f{n}.journal" for n in range(3)
    ]


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database or disk is full"), OSError(28, "No space left")])
def test_a_full_disk_is_one_sentence(run, monkeypatch, error):
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1])})

    def fail(*_):
        raise error

    monkeypatch.setattr("coverage_tasks.combined.combine._write_coverage", fail)
    with pytest.raises(TaskError, match=r"cannot write .*coverage\.sqlite \(.+\): make") as told:
        combine(run.project)
    assert "None" not in str(told.value)


GENERATING = "import maker\n\n\ndef never_called():\n    first = 1\n\n    return first\n\n\nmaker.make(__file__)\n"


@pytest.mark.parametrize("lines", [{1, 2}, {1, 4, 10, 12}, {1, 10, 500}])
@pytest.mark.parametrize("branch", [False, True])
def test_generated_code_under_a_source_s_name_paints_nothing(tmp_path, lines, branch):
    run = Run(tmp_path, {"app/a.py": GENERATING, "app/b.py": "b = 1\n"})
    a, b = run.source("app/a.py"), run.source("app/b.py")
    run.service("web", {"/app/a.py": a, "/app/b.py": b})
    if branch:
        run.arcs("web", {"/app/a.py": (a, [(line, -1) for line in lines]), "/app/b.py": (b, [(-1, 1)])})
    else:
        run.lines("web", {"/app/a.py": (a, lines), "/app/b.py": (b, [1])})
    combined = combine(run.project)
    assert combined.services["web"].files == ["app/b.py"]
    assert combined.unknown == {"app/a.py": FOREIGN}
    assert [*executed(run)["web"]] == ["app/b.py"]
    assert combined.damage == []


@pytest.mark.parametrize("engine", ["tracer", "monitor"])
def test_few_lines_that_the_tracer_takes_for_those_of_another_file_are_dropped(tmp_path, engine):
    source = "".join(f"a{number} = {number}\n" for number in range(30))
    run = Run(tmp_path, {"app/a.py": source})
    run.service("web", {"/app/a.py": run.source("app/a.py")})
    run.lines("web", {"/app/a.py": (run.source("app/a.py"), [*range(1, 21), 229, 242, 243])}, engine=engine)
    combined = combine(run.project)
    if engine == "monitor":
        assert combined.unknown == {"app/a.py": FOREIGN}
    else:
        assert combined.unknown == {}
        assert executed(run)["web"] == {"app/a.py": {*range(1, 21)}}


def test_names_that_are_no_python_files_are_not_unknown(tmp_path):
    page = b"<p>{{ x }}</p>\n{{ y }}\n"
    run = Run(tmp_path, {"app/a.py": "a = 1\n", "app/pages/home.html": page.decode(), "app/pages/bare.html": "x\n\n\n"})
    run.service("web", {"/app/a.py": run.source("app/a.py")})
    run.lines(
        "web",
        {
            "/app/a.py": (run.source("app/a.py"), [1]),
            "/app/pages/home.html": (page, [1, 2, 12]),
            "/app/pages/bare.html": (b"x\n\n\n", [1, 2, 3]),
            "/app/rule-0": (None, [1]),
            "/usr/local/bin/flask": (b"#!/usr/local/bin/python\nimport flask\n", [2]),
        },
    )
    result = combine(run.project).services["web"]
    assert (result.files, result.unknown, result.unmapped) == (["app/a.py"], {}, {})


def test_what_runs_as_python_is_python_whatever_its_name(tmp_path):
    run = Run(tmp_path, {"app/a.py": "a = 1\n", "app/site.wsgi": "x = 1\n\n\ndef f():\n    return 1\n"})
    run.service("web", {"/app/a.py": run.source("app/a.py")})
    run.lines(
        "web",
        {"/app/a.py": (run.source("app/a.py"), [1]), "/app/site.wsgi": (run.source("app/site.wsgi"), [1, 4])},
    )
    combined = combine(run.project)
    assert combined.services["web"].files == ["app/a.py", "app/site.wsgi"]
    assert executed(run)["web"]["app/site.wsgi"] == {1, 4}
    assert [*combined.digests] == ["app/a.py", "app/site.wsgi"]


@pytest.mark.parametrize("bound", [False, True])
def test_a_source_whose_compiled_form_is_imported_is_unknown(tmp_path, bound):
    names = ("main", "billing", "old", "pkg/__init__", "pkg/other")
    run = Run(tmp_path, {f"shop/{name}.py": f"name = {name!r}\n" for name in names})
    image = {} if bound else {f"/app/{name}.py": run.source(f"shop/{name}.py") for name in names}
    compiled = ["billing.cpython-312-x86_64-linux-gnu.so", "old.cpython-39-x86_64-linux-gnu.so", "pkg/__init__.abi3.so"]
    for name in compiled if bound else ():
        (tmp_path / "shop" / name).touch()
    if bound:
        run.service("web", image, binds=(("/app", "shop"),))
    else:
        run.service("web", image, ("/app/billing.py", "/app/pkg/__init__.py"))
    run.lines("web", {"/app/main.py": (run.source("shop/main.py"), [1])})
    result = combine(run.project).services["web"]
    assert result.never_imported == ["shop/old.py", "shop/pkg/other.py"]
    assert result.unknown == dict.fromkeys(["shop/billing.py", "shop/pkg/__init__.py"], COMPILED)


def test_a_source_of_which_a_packed_copy_ran_is_unknown(tmp_path):
    names = ("main", "bakery/oven", "bakery/shop", "oven", "x/y/clean")
    run = Run(tmp_path, {f"src/{name}.py": f"name = {name!r}\n" for name in names})
    run.service("web", {f"/app/{name}.py": run.source(f"src/{name}.py") for name in names})
    packed = {f"/app/{name}.py": (None, [1]) for name in ("app.pyz/bakery/oven", "build-1.2/clean", "lib/y/clean")}
    run.lines("web", {"/app/main.py": (run.source("src/main.py"), [1])} | packed)
    result = combine(run.project).services["web"]
    assert result.never_imported == ["src/bakery/shop.py", "src/oven.py"]
    assert result.unknown == dict.fromkeys(["src/bakery/oven.py", "src/x/y/clean.py"], PACKED)


def test_what_the_processes_could_not_have_recorded_is_unknown(tmp_path):
    site = "/usr/local/lib/python3.12/site-packages"
    run = Run(tmp_path, {"a/app/main.py": "m = 1\n", "a/pricing/tax.py": "t = 1\n", "a/app/old.py": "o = 1\n"})
    image = {
        "/app/main.py": "a/app/main.py",
        "/app/old.py": "a/app/old.py",
        f"{site}/pricing/tax.py": "a/pricing/tax.py",
    }
    run.service("a", {place: run.source(path) for place, path in image.items()})
    for source, omit, unknown in (
        (["/app"], [], {"a/pricing/tax.py": NOT_RECORDED}),
        (["/app", f"{site}/pricing"], [], {"a/pricing/tax.py": NOT_RECORDED}),  # a process more, and one did not
        (["/app", f"{site}/pricing"], ["*/old.py"], {"a/app/old.py": OMITTED, "a/pricing/tax.py": NOT_RECORDED}),
    ):
        settings = {"source": source, "omit": omit, "directory": "/coverage"}
        run.lines("a", {"/app/main.py": (run.source("a/app/main.py"), [1])}, settings=settings)
        result = combine(run.project).services["a"]
        assert result.unknown == unknown
        assert {*result.files} == {*image.values()} - unknown.keys()
    run.forget()
    settings = {"source": ["/app", f"{site}/pricing"], "omit": [], "directory": "/coverage"}
    run.lines("a", {"/app/main.py": (run.source("a/app/main.py"), [1])}, settings=settings)
    assert combine(run.project).services["a"].never_imported == ["a/app/old.py", "a/pricing/tax.py"]
    run.lines("a", {}, settings={"source": 7})
    assert {*combine(run.project).services["a"].unknown} == {"a/app/old.py", "a/pricing/tax.py"}


def test_a_draw_is_named_and_recorded_so_that_the_next_report_can_take_what_it_is_said_to_be(tmp_path):
    place = "/usr/local/lib/python3.12/site-packages/pricing"
    tax = "def tax():\n    return 1\n"
    run = Run(
        tmp_path, {"a/app/main.py": "m = 1\n", "a/pricing/tax.py": tax, "b/pricing/tax.py": tax, "c/vendor/six.py": tax}
    )
    run.service("a", {"/app/main.py": run.source("a/app/main.py"), f"{place}/tax.py": tax.encode()})
    main = {"/app/main.py": (run.source("a/app/main.py"), [1])}
    run.lines("a", main)
    (reason,) = combine(run.project).services["a"].unmapped.values()
    assert reason == DRAW.format("3 files", "a/pricing/tax.py")
    run.lines("a", main | {f"{place}/tax.py": (tax.encode(), [1])})
    assert combine(run.project).services["a"].unmapped == {f"{place}/tax.py": reason}
    (tmp_path / "coverage-spy.yml").write_text(f"sources: {{a: {{{place}: b/pricing}}}}\n")
    result = combine(run.project).services["a"]
    assert (result.unmapped, result.files) == ({}, ["a/app/main.py", "b/pricing/tax.py"])
    assert executed(run)["a"]["b/pricing/tax.py"] == {1}


def test_a_service_whose_files_are_all_left_out_is_no_unknown_one(tmp_path):
    run = Run(tmp_path, {"a.py": "a = 1\n", "b.py": "b = 1\n", ".coveragerc": "[run]\nomit = a.py\n"})
    for name in ("a", "b"):
        run.service(name, {f"/app/{name}.py": run.source(f"{name}.py")})
        run.lines(name, {f"/app/{name}.py": (run.source(f"{name}.py"), [1])})
    combined = combine(run.project)
    assert combined.files == {"b.py"}
    assert [result.why_unknown for result in combined.services.values()] == ["", ""]
    assert sentences(combined.findings) == []
