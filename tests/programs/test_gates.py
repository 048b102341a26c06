"""The gates: what holds, what fails, with which numbers, and which files are named for it."""

import io
import json
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stdout

import pytest
from checkouts import commit, git, write
from journal_files import Run
from template import tasks

from coverage_tasks.combined.combine import combine
from coverage_tasks.errors import TaskError
from coverage_tasks.gates.baseline import Baseline, write_baseline
from coverage_tasks.gates.check import check
from coverage_tasks.gates.patch import annotations, measure_patch
from coverage_tasks.reports import formats
from coverage_tasks.results.lines import Share
from coverage_tasks.results.results import read_results
from coverage_tasks.tasks.gates import check as show

MAIN = """\
def order(n):
    if n:
        return n
    return 0


def cancel():
    n = 1
    n = 2
    return n
"""
FILES = {
    "orders/main.py": MAIN,
    "orders/api/routes.py": "r = 1\ns = 2\n",
    "jobs/main.py": "j = 1\nk = 2\n",
    "libs/rates.py": "RATE = 1\nTAX = 2\n",
    ".gitignore": "coverage-data/\n",
    "docker-compose.yml": "services: {}\n",
}
IMAGES = {
    "orders": {
        "/app/main.py": "orders/main.py",
        "/app/api/routes.py": "orders/api/routes.py",
        "/app/rates.py": "libs/rates.py",
    },
    "jobs": {"/srv/main.py": "jobs/main.py", "/srv/rates.py": "libs/rates.py"},
}
# 12 of 14 statements.
ALL = {
    "orders": {"orders/main.py": [1, 2, 4, 7, 8, 9, 10], "orders/api/routes.py": [1], "libs/rates.py": [1, 2]},
    "jobs": {"jobs/main.py": [1, 2], "libs/rates.py": [1]},
}
# What ran without the test that cancels an order.
FEWER = {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4, 7]}}


def record(run, services):
    """A run of these services, of images as the checkout is: service -> path -> lines, None: it sends nothing."""
    run.forget()
    run.services.clear()
    for service, executed in services.items():
        image = {place: path for place, path in IMAGES[service].items() if (run.project.root / path).exists()}
        run.service(service, {place: run.source(path) for place, path in image.items()})
        if executed is not None:
            own = {place: (run.source(path), executed[path]) for place, path in image.items() if path in executed}
            run.lines(service, own)
    return combine(run.project)


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "shop", FILES)
    git(run.project.root, "init", "-q", "-b", "main")
    commit(run.project.root)
    record(run, ALL)
    return run


def thresholds(run, text):
    (run.project.root / "coverage-spy.yml").write_text(f"thresholds: {{{text}}}\n")


def verdicts(run, **options):
    return {verdict.rule: verdict for verdict in check(run.project, **options)}


def failed(run, **options):
    return {rule: verdict.sentence for rule, verdict in verdicts(run, **options).items() if not verdict.held}


def test_without_any_rule_the_services_are_checked(run):
    assert {rule: verdict.held for rule, verdict in verdicts(run).items()} == {"services": True}


def test_a_service_that_sent_nothing_fails_whatever_is_said(run):
    record(run, {**ALL, "jobs": None})
    (sentence,) = failed(run).values()
    assert sentence == (
        "of jobs nothing is known: its service sent nothing; see coverage-doctor, or leave it out in coverage-spy.yml"
    )


@pytest.mark.parametrize(
    ("text", "found", "sentence"),
    [
        ("total: 85.71", "85.71 %", ""),
        (
            "total: 90",
            "85.71 %",
            "85.71 % (12 of 14 statements) executed, 90 % wanted (1 more): most is missed in orders/api/routes.py (1), "
            "orders/main.py (1)",
        ),
        ("services: {orders: 83.33}", "83.33 %", ""),
        (
            "services: {jobs: 99.5}",
            "75.00 %",
            "75.00 % (3 of 4 statements) executed, 99.5 % wanted (1 more): most is missed in libs/rates.py (1)",
        ),
        ("paths: {libs: 100}", "100.00 %", ""),
        ("paths: {'*/main.py': 90}", "90.00 %", ""),
        (
            "paths: {orders/api: 51}",
            "50.00 %",
            "50.00 % (1 of 2 statements) executed, 51 % wanted (1 more): most is missed in orders/api/routes.py (1)",
        ),
        (
            "paths: {'orders/**': 100}",
            "80.00 %",
            "80.00 % (8 of 10 statements) executed, 100 % wanted (2 more): most is missed in orders/api/routes.py (1), "
            "orders/main.py (1)",
        ),
        ("paths: {servces: 1}", "no file", "no file of the results matches servces"),
        ("unknown: 0", "0", ""),
    ],
)
def test_thresholds(run, text, found, sentence):
    thresholds(run, text)
    (verdict,) = (verdict for rule, verdict in verdicts(run).items() if rule != "services")
    assert verdict.found == found
    assert (verdict.held, "" if verdict.held else verdict.sentence) == (not sentence, sentence)


@pytest.mark.parametrize(
    ("text", "held", "sentence"),
    [
        ("fail_under = 0", None, ""),
        ("fail_under = 85.71", True, "85.71 % (12 of 14 statements) executed, 85.71 % wanted; as .coveragerc has it"),
        (
            "fail_under = 86",
            True,
            "85.71 % executed, which coverage.py rounds to the 86 % wanted, as .coveragerc has it",
        ),
        (
            "fail_under = 86\nprecision = 1",
            False,
            "85.71 % (12 of 14 statements) executed, 86 % wanted (1 more): most is missed in orders/api/routes.py (1), "
            "orders/main.py (1); as .coveragerc has it",
        ),
        ("fail_under = 85.72", False, "85.71 % (12 of 14 statements) executed, 85.72 % wanted (1 more): "),
        ("fail_under = 100\nomit = orders/**\ninclude = libs/*", True, "100.00 % (2 of 2 statements) executed"),
    ],
)
def test_fail_under_is_a_gate_and_rounded_as_coverage_rounds(run, text, held, sentence):
    (run.project.root / ".coveragerc").write_text(f"[run]\nrelative_files = true\n[report]\n{text}\n")
    combine(run.project)
    verdict = verdicts(run).get("fail_under")
    assert (verdict and verdict.held) == held
    assert (verdict.sentence if verdict else "").startswith(sentence)
    command = [sys.executable, "-m", "coverage", "report", f"--data-file={run.project.coverage_file}"]
    code = subprocess.run(command, cwd=run.project.root, capture_output=True).returncode
    assert code == (2 if held is False else 0)  # coverage.py's own verdict
    thresholds(run, "total: 1")
    assert "fail_under" not in verdicts(run)


def test_percentages_are_those_of_coverage(run):
    for branch in (False, True):
        if branch:
            run.forget()
            arcs = [(-1, 1), (1, 7), (7, -1), (-1, 2), (2, 4), (4, -1)]
            run.arcs("orders", {"/app/main.py": (run.source("orders/main.py"), arcs)})
            run.arcs("jobs", {"/srv/main.py": (run.source("jobs/main.py"), [(-1, 1), (1, 2), (2, -1)])})
            combine(run.project)
        run.write(formats.JSON)
        totals = json.loads((run.project.root / "coverage.json").read_text())["totals"]
        thresholds(run, f"total: {totals['percent_covered']}")
        share = Share.sum(read_results(run.project).shares().values())
        assert share.executed * 100 / share.of == totals["percent_covered"]
        thresholds(run, "total: 100")
        unit = "statements and branches" if branch else "statements"
        assert f"of {share.of} {unit})" in failed(run)["total"]


def test_a_threshold_of_a_service_that_nobody_heard_of_fails(run):
    record(run, {**ALL, "jobs": None})
    thresholds(run, "services: {jobs: 0}")
    assert failed(run)["service jobs"] == "nothing is known of jobs: its service sent nothing"


def test_unknown_files_are_counted_and_named(run):
    run.lines("orders", {"/app/made.py": (b"m = 1\n", [1]), "/app/main.py": (b"another = 1\n", [1])})
    record_before = combine(run.project)
    assert record_before.unknown or record_before.services["orders"].unmapped
    thresholds(run, "unknown: 0")
    assert failed(run)["unknown"].endswith("see analyze-coverage")
    thresholds(run, "unknown: 5")
    assert failed(run) == {}


def test_a_bad_glob_is_one_sentence(run):
    thresholds(run, "paths: {'a/x**y': 1}")
    with pytest.raises(TaskError, match=r"coverage-spy\.yml: thresholds\.paths has 'a/x\*\*y'"):
        check(run.project)


def test_nothing_combined_is_one_sentence(tmp_path):
    with pytest.raises(TaskError, match="nothing has been combined yet: run coverage-combine first"):
        check(Run(tmp_path, FILES).project)


def test_sources_that_changed_since_are_not_judged(run):
    write(run.project.root, {"orders/main.py": "x = 1\n" + MAIN})
    with pytest.raises(TaskError, match=r"orders/main\.py changed after coverage-combine: run it again"):
        check(run.project)
    with pytest.raises(TaskError, match=r"orders/main\.py changed after coverage-combine: run it again"):
        write_baseline(run.project)


def test_removed_test_fails_the_ratchet(run):
    write_baseline(run.project)
    assert failed(run) == {}
    record(run, FEWER)
    sentences = failed(run)
    assert sentences.keys() == {"baseline total", "baseline service orders", "baseline path orders"}
    assert sentences["baseline total"] == (
        "64.28 % (9 of 14 statements) executed, 85.71 % (12 of 14) before: more is missed in orders/main.py (3)"
    )
    assert verdicts(run)["baseline service orders"].files == (("orders/main.py", 3),)
    write_baseline(run.project)
    assert failed(run) == {}


def test_a_service_falls_where_another_still_executes_the_file(run):
    write_baseline(run.project)
    record(run, {**ALL, "orders": ALL["orders"] | {"libs/rates.py": [2]}})
    (sentence,) = failed(run).values()
    assert sentence == (
        "75.00 % (9 of 12 statements) executed, 83.33 % (10 of 12) before: more is missed in libs/rates.py (1)"
    )


def test_tolerance_is_in_points(run):
    write_baseline(run.project)
    record(run, {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4, 7, 8, 9]}})
    assert "baseline total" in failed(run)
    thresholds(run, "tolerance: 7.15")
    assert failed(run).keys() == {"baseline service orders", "baseline path orders"}
    thresholds(run, "tolerance: 12.5")
    assert failed(run) == {}


def test_more_than_the_baseline_holds(run):
    record(run, FEWER)
    write_baseline(run.project)
    record(run, ALL)
    assert failed(run) == {}


def test_removed_code_that_was_covered_is_said(run):
    write_baseline(run.project)
    write(run.project.root, {"orders/main.py": MAIN[: MAIN.index("\n\ndef cancel")]})
    record(run, {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4]}})
    assert failed(run)["baseline total"].endswith(
        "executed ones were removed from orders/main.py (4), write the baseline again if that is meant"
    )


def test_a_file_of_the_baseline_that_nothing_is_known_of_fails(run, monkeypatch):
    write_baseline(run.project)
    monkeypatch.delitem(IMAGES["orders"], "/app/api/routes.py")
    record(run, {**ALL, "orders": {"orders/main.py": ALL["orders"]["orders/main.py"], "libs/rates.py": [1, 2]}})
    assert "orders/api/routes.py" in failed(run)["baseline files"]
    (run.project.root / "orders/api/routes.py").unlink()
    combine(run.project)
    assert failed(run) == {}


def test_a_service_of_the_baseline_that_is_gone_fails(run):
    write_baseline(run.project)
    record(run, {"orders": ALL["orders"]})
    assert failed(run)["baseline service jobs"] == "nothing is known of jobs: the run has no such service with files"


def test_lines_and_branches_are_not_compared(run):
    write_baseline(run.project)
    run.forget()
    run.arcs("orders", {"/app/main.py": (run.source("orders/main.py"), [(-1, 1)])})
    run.arcs("jobs", {"/srv/main.py": (run.source("jobs/main.py"), [(-1, 1)])})
    combine(run.project)
    (sentence,) = failed(run).values()
    assert sentence == (
        "the run counts statements and branches, coverage-baseline.json statements: set COVERAGE_BRANCH as then"
    )


def test_the_baseline_is_small_sorted_and_stable(run):
    write_baseline(run.project)
    text = run.project.baseline.read_text()
    assert text == (
        '{\n "version": 1,\n "branch": false,\n "total": {"executed": 12, "of": 14},\n "services": {\n'
        '  "jobs": {"executed": 3, "of": 4},\n  "orders": {"executed": 10, "of": 12}\n },\n "files": {\n'
        '  "jobs/main.py": {"executed": 2, "of": 2, "services": {"jobs": 2}},\n'
        '  "libs/rates.py": {"executed": 2, "of": 2, "services": {"jobs": 1, "orders": 2}},\n'
        '  "orders/api/routes.py": {"executed": 1, "of": 2, "services": {"orders": 1}},\n'
        '  "orders/main.py": {"executed": 7, "of": 8, "services": {"orders": 7}}\n }\n}\n'
    )
    record(run, dict(reversed(ALL.items())))
    write_baseline(run.project)
    assert run.project.baseline.read_text() == text
    assert Baseline.read(run.project) == Baseline.of(read_results(run.project))


def test_a_baseline_without_a_service_is_refused(run):
    record(run, {**ALL, "jobs": None})
    with pytest.raises(TaskError, match="nothing is known of jobs"):
        write_baseline(run.project)
    assert not run.project.baseline.exists()


KEPT = {
    "version": 1,
    "branch": False,
    "total": {"executed": 1, "of": 2},
    "services": {"jobs": {"executed": 1, "of": 2}},
    "files": {"jobs/main.py": {"executed": 1, "of": 2, "services": {"jobs": 1}}},
}


def damaged(**changes):
    return json.dumps(KEPT | changes)


def with_file(path="jobs/main.py", **changes):
    return damaged(files={path: KEPT["files"]["jobs/main.py"] | changes})


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"version": 2}', '{"version": 1, "files": {"a": 1}}', "\x00", "[" * 100_000),
        *(damaged(unheard=1), damaged(branch=0), damaged(branch="yes"), damaged(services={}), damaged(total=None)),
        *(with_file(executed="1"), with_file(executed=1.5), with_file(executed=True), with_file(executed=3)),
        *(with_file(executed=-1), with_file(of=1 << 60), with_file(services={"jobs": 3}), with_file(services=[])),
        *(with_file("/etc/passwd"), with_file("../main.py"), with_file("jobs/../../main.py"), with_file("")),
    ],
)
def test_a_damaged_baseline_is_one_sentence(run, text):
    run.project.baseline.write_text(text)
    with pytest.raises(TaskError, match=r"coverage-baseline\.json cannot be read"):
        check(run.project)


def test_a_baseline_is_read_that_an_older_version_wrote(run):
    """As `coverage-baseline` has always written it, and as a merge by hand may leave it: the sums are for readers."""
    (run.project.root / "coverage-baseline.json").write_text(
        '{\n "version": 1,\n "branch": false,\n "total": {"executed": 12, "of": 14},\n "services": {\n'
        '  "jobs": {"executed": 3, "of": 4},\n  "idle": {"executed": 0, "of": 0}\n },\n "files": {\n'
        '  "jobs/main.py": {"executed": 2, "of": 2, "services": {"jobs": 2}},\n'
        '  "libs/empty.py": {"executed": 0, "of": 0, "services": {}}\n }\n}\n'
    )
    assert Baseline.read(run.project) == Baseline(
        False,
        {"jobs/main.py": Share(2, 2), "libs/empty.py": Share(0, 0)},
        {"jobs": {"jobs/main.py": Share(2, 2)}, "idle": {}},
    )
    (run.project.root / "coverage-baseline.json").write_text(
        '{\n "version": 1,\n "branch": true,\n "total": {"executed": 0, "of": 0},\n'
        ' "services": {\n\n },\n "files": {\n\n }\n}\n'
    )
    assert Baseline.read(run.project) == Baseline(True, {}, {})


def branch_off(run, files):
    git(run.project.root, "checkout", "-q", "-b", "topic")
    commit(run.project.root, files)


ADDED = MAIN.replace("    return 0\n", "    m = 5\n    return m\n") + "\n\ndef untested():\n    return 3\n"


def test_a_pull_request_that_adds_untested_lines_fails_patch_coverage(run):
    branch_off(run, {"orders/main.py": ADDED, "README.md": "more\n"})
    record(run, {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4, 5, 8, 9, 10, 11, 14]}})
    thresholds(run, "patch: 80, total: 80")
    assert failed(run) == {
        "patch": "75.00 % (3 of 4 statements changed since main) executed, 80 % wanted (1 more): most is missed in "
        "orders/main.py (1)"
    }
    thresholds(run, "patch: 75")
    assert failed(run) == {}
    assert list(annotations(measure_patch(run.project, read_results(run.project)))) == [
        "::warning file=orders/main.py,line=15,endLine=15,title=Not executed::"
        "No service executed 1 changed statement here"
    ]


def test_patch_holds_what_is_not_committed(run):
    branch_off(run, {"orders/main.py": ADDED})
    write(run.project.root, {"orders/main.py": "first = 1\nsecond = 2\n" + ADDED})
    record(run, {**ALL, "orders": {"orders/main.py": [1, 2, 3, 4, 10, 16], "libs/rates.py": [1]}})
    thresholds(run, "patch: 100")
    assert failed(run)["patch"].startswith("50.00 % (3 of 6 statements changed since main)")


def test_a_patch_without_statements_holds(run):
    branch_off(run, {"README.md": "more\n"})
    thresholds(run, "patch: 100")
    assert verdicts(run)["patch"].held
    assert verdicts(run)["patch"].found == "-"


def test_changed_files_that_are_unknown_are_named(run):
    branch_off(run, {"orders/main.py": "def broken(:\n"})
    record(run, {**ALL, "orders": {"libs/rates.py": [1]}})
    thresholds(run, "patch: 0")
    assert verdicts(run)["patch"].sentence.endswith("; of changes in orders/main.py nothing is known")


def test_the_branch_to_compare_with(run):
    root = run.project.root
    git(root, "branch", "develop")
    branch_off(run, {"orders/main.py": ADDED})
    git(root, "branch", "late")
    record(run, {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4, 5, 8, 9, 10, 11, 14]}})
    thresholds(run, "patch: 80, compare-branch: late")
    assert verdicts(run)["patch"].found == "-"
    assert verdicts(run, compare_branch="develop")["patch"].found == "75.00 %"
    git(root, "update-ref", "refs/remotes/origin/main", "main")
    git(root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    thresholds(run, "patch: 80")
    assert "changed since origin/main" in failed(run)["patch"]


@pytest.mark.parametrize("branch", ["no-such", "--help", "a b"])
def test_a_branch_that_there_is_not_is_usage(run, branch):
    thresholds(run, "patch: 80")
    with pytest.raises(TaskError, match=f"the patch cannot be told: git knows no branch {branch}: fetch it") as error:
        check(run.project, branch)
    assert error.value.exit_code == 2


def test_no_common_commit_names_the_remedy(run):
    git(run.project.root, "checkout", "-q", "--orphan", "other")
    commit(run.project.root, {"more.txt": "or it would be the same commit, made in the same second"})
    thresholds(run, "patch: 80")
    with pytest.raises(TaskError, match="the patch cannot be told: git knows no common commit with main: fetch more"):
        check(run.project)


def test_a_repository_in_a_directory_of_gits(run, tmp_path):
    """git's own root is one above: its paths are not ours."""
    root = run.project.root
    (root / ".git").rename(tmp_path / "git")
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, {".gitignore": "git\n"})
    git(tmp_path, "checkout", "-q", "-b", "topic")
    commit(tmp_path, {"shop/orders/main.py": ADDED})
    record(run, {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4, 5, 8, 9, 10, 11, 14]}})
    thresholds(run, "patch: 80")
    assert verdicts(run)["patch"].files == (("orders/main.py", 1),)


def test_the_users_settings_of_git_change_nothing(run):
    for setting in ("diff.noprefix", "diff.mnemonicPrefix", "color.ui=always", "diff.external=false"):
        name, _, value = setting.partition("=")
        git(run.project.root, "config", name, value or "true")
    branch_off(run, {"orders/main.py": ADDED})
    record(run, {**ALL, "orders": ALL["orders"] | {"orders/main.py": [1, 2, 4, 5, 8, 9, 10, 11, 14]}})
    thresholds(run, "patch: 80")
    assert verdicts(run)["patch"].found == "75.00 %"


def shown(run, **form):
    options = {"json": False, "markdown": False, "quiet": False, "compare_branch": ""}
    with redirect_stdout(io.StringIO()) as out:
        code = show(run.project, Namespace(**options | form))
    return code, out.getvalue()


def test_what_is_printed(run):
    thresholds(run, "total: 90, unknown: 0")
    write_baseline(run.project)
    code, text = shown(run)
    assert code == 1
    rows = [line.split() for line in text.splitlines()]
    assert ["total", "85.71", "%", "90", "%", "failed"] in rows
    assert ["baseline", "7", "numbers", "not", "lower", "held"] in rows
    assert text.splitlines()[-1].startswith("- total: 85.71 % (12 of 14 statements) executed, 90 % wanted")
    code, quiet = shown(run, quiet=True)
    assert (code, quiet) == (1, text.splitlines()[-1] + "\n")
    found = json.loads(shown(run, json=True)[1])
    assert not found["held"]
    (total,) = (rule for rule in found["rules"] if rule["rule"] == "total")
    assert (total["executed"], total["of"]) == (12, 14)
    assert total["files"][0] == {"path": "orders/api/routes.py", "missed": 1}
    assert "| total | 85.71 % | 90 % | failed |" in shown(run, markdown=True)[1]
    thresholds(run, "total: 80")
    assert shown(run, quiet=True) == (0, "")


def test_exit_codes(run):
    root, environ = run.project.root, {"COVERAGE_SPY_RUNTIME": "compose"}
    thresholds(run, "total: 80")
    assert tasks(root, "coverage-check", **environ).returncode == 0
    thresholds(run, "total: 99")
    assert tasks(root, "coverage-check", **environ).returncode == 1
    thresholds(run, "totl: 99")
    assert tasks(root, "coverage-check", **environ).returncode == 2
    assert tasks(root, "coverage-check", "--no-such", **environ).returncode == 2
    (root / "coverage-spy.yml").unlink()
    assert tasks(root, "coverage-baseline", **environ).returncode == 0
    assert tasks(root, "coverage-check", "-q", **environ).returncode == 0
    run.project.coverage_file.unlink()
    answer = tasks(root, "coverage-check", **environ)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "coverage-spy: nothing has been combined yet: run coverage-combine first\n"
