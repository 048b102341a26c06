"""coverage.py's settings: whose count, which options do, and that nothing of a repository's file is run or leaks."""

import json
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from coverage import CoverageData
from coverage.config import CoverageConfig, read_coverage_config
from journal_files import Run
from machine import ROOT
from template import environment

from coverage_tasks import coverage_settings as settings
from coverage_tasks.combined.combine import combine
from coverage_tasks.coverage_settings import TEMPLATE, read_settings
from coverage_tasks.errors import TaskError
from coverage_tasks.reports import formats, summary
from coverage_tasks.results.results import read_results
from coverage_tasks.runs.store import open_run

OWN, OWN_TOML, CFG, TOX, PYPROJECT = FILES = (
    *(".coveragerc", ".coveragerc.toml", "setup.cfg", "tox.ini", "pyproject.toml"),
)
# Each with a setting of its own: the file's place among them.
CONTENT = {
    OWN: "[report]\nprecision = 1\n",
    OWN_TOML: "report.precision = 2\n",
    CFG: "[coverage:report]\nprecision = 3\n",
    TOX: "[coverage:report]\nprecision = 4\n",
    PYPROJECT: "[tool.coverage.report]\nprecision = 5\n",
}
TEMPLATE_NAME = "scripts/coveragerc"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # coverage.py looks in the present directory
    return tmp_path


def written(root, files):
    for name, text in files.items():
        (root / name).write_text(text)
    return root


def by_coverage():
    """What coverage.py itself makes of the present directory."""
    return read_coverage_config(True, warn=lambda _: None)


# The table.


COUNT = {
    *(*settings.TAKEN, *settings.LISTS, *(also for also, _ in settings.LISTS.values()), settings.FAIL_UNDER),
    *(option for options in settings.PATTERNS.values() for option in options),
}


def test_every_option_of_coverage_is_decided_once():
    decided = [*COUNT, *settings.OURS, *settings.NO_MATTER]
    assert sorted(decided) == sorted(where for _, where, *_ in CoverageConfig.CONFIG_FILE_OPTIONS)
    assert settings.ALWAYS.keys() <= {*settings.NO_MATTER}


def test_the_page_has_the_table():
    page = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `\[(\w+)\]` \| (.*?) \| (.*?) \| (.*?) \|$", page, re.MULTILINE)
    taken, ours, neither = (
        {f"{section}:{name}" for section, *cells in rows for name in re.findall(r"`(\w+)`", cells[column])}
        for column in range(3)
    )
    assert taken == COUNT
    assert ours == {*settings.OURS}
    assert neither == {*settings.NO_MATTER} - {"run:_crash"}


@pytest.mark.parametrize("first", range(len(FILES)))
def test_the_file_is_the_one_that_coverage_takes(root, first):
    written(root, {name: CONTENT[name] for name in FILES[first:]})
    found = read_settings(root)
    assert (found.file, found.precision) == (FILES[first], first + 1)
    assert by_coverage().config_file == str(root / FILES[first])


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        ({}, None),
        ({OWN: "", PYPROJECT: CONTENT[PYPROJECT]}, OWN),  # its own file counts with nothing in it
        ({OWN_TOML: "", PYPROJECT: CONTENT[PYPROJECT]}, OWN_TOML),
        ({CFG: "[flake8]\nx = 1\n", TOX: "[tox]\n", PYPROJECT: CONTENT[PYPROJECT]}, PYPROJECT),
        ({CFG: "[report]\nprecision = 3\n"}, None),  # another program's
        ({CFG: "[coverage:report]\n"}, None),
        ({CFG: "[coverage:paths]\nsource =\n    src\n    /app\n"}, CFG),
        ({TOX: "[coverage:run]\nbranch = true\n", PYPROJECT: CONTENT[PYPROJECT]}, TOX),
        ({PYPROJECT: "[tool.black]\n"}, None),
        ({PYPROJECT: "[tool.coverage.report]\n"}, None),
    ],
)
def test_a_file_counts_that_says_something_to_coverage(root, files, taken):
    assert read_settings(written(root, files)).file == (taken or os.path.relpath(TEMPLATE, root))
    assert by_coverage().config_file == (str(root / taken) if taken else None)


def test_a_directory_is_no_file_as_for_coverage(root):
    (root / OWN).mkdir()
    assert read_settings(written(root, {PYPROJECT: CONTENT[PYPROJECT]})).file == PYPROJECT
    assert by_coverage().config_file == str(root / PYPROJECT)


def test_a_file_that_the_environment_names_comes_first(root, monkeypatch):
    written(root, CONTENT)
    (root / "ci").mkdir()
    (root / "ci/rc").write_text("[report]\nprecision = 7\n")
    monkeypatch.setenv("COVERAGE_RCFILE", "ci/rc")
    assert (read_settings(root).file, read_settings(root).precision) == ("ci/rc", by_coverage().precision)
    monkeypatch.setenv("COVERAGE_RCFILE", os.devnull)
    assert (read_settings(root).precision, by_coverage().precision) == (0, 0)
    monkeypatch.setenv("COVERAGE_RCFILE", "nowhere")
    with pytest.raises(TaskError, match="COVERAGE_RCFILE names nowhere, which does not exist: correct it or unset it"):
        read_settings(root)


INI = """
[run]
omit = */migrations/*, gen
[report]
exclude_lines =
    # nothing
    ^ *debug\\(
exclude_also = a$
    b, c
partial_also = ^ *while 1:
precision = 2
skip_covered = yes
fail_under = 71.5
[html]
title = Shop & more
skip_empty = true
[xml]
package_depth = 3
[json]
pretty_print = on
[lcov]
line_checksums = true
"""
TOML = """
[tool.coverage.run]
omit = ["*/migrations/*", "gen"]
[tool.coverage.report]
exclude_also = ['a$', 'b, c', '$$x']
partial_branches = ['^never']
partial_branches_always = ['^always']
precision = 2
skip_empty = true
fail_under = 71
[tool.coverage.html]
title = "Shop & more"
skip_covered = true
"""


@pytest.mark.parametrize(("name", "text"), [(OWN, INI), (PYPROJECT, TOML), (OWN_TOML, TOML)])
def test_the_values_are_those_that_coverage_reads(root, name, text):
    found, wanted = read_settings(written(root, {name: text})), by_coverage()
    attributes = {where: attribute for attribute, where, *_ in CoverageConfig.CONFIG_FILE_OPTIONS}
    options = {**found.options}
    assert {option: options.pop(option) for option in settings.ALWAYS} == settings.ALWAYS
    assert options == {option: getattr(wanted, attributes[option]) for option in options}
    assert len(options) > 6
    assert found.fail_under == wanted.fail_under
    assert found.omit[0].match(f"{root}/x/migrations/y.py")
    assert found.title == "Shop & more"


def test_no_environment_variable_gets_into_a_report(root, monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    texts = {
        OWN: "[html]\ntitle = a $TOKEN ${TOKEN} ${TOKEN-b} $$ %(x)s\n[report]\nexclude_also = ^c$\n    d$TOKEN\n",
        OWN_TOML: "html.title = 'a $TOKEN ${TOKEN} ${TOKEN-b} $$ %(x)s'\nreport.exclude_also = ['^c$', 'd$TOKEN']\n",
    }
    for name, text in texts.items():
        found = read_settings(written(root, {name: text}))
        assert found.title == "a   b $ %(x)s"
        assert found.options["report:exclude_lines"][-2:] == ["^c$", "d"]
        (root / name).unlink()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (OWN, "zebra\n", "File contains no section headers"),
        (TOX, "[tox]\nzebra\n", "contains parsing errors"),  # as coverage.py stops there
        (OWN, "[report]\nomit = a\nomit = b\n", "option 'omit' in section 'report' already exists"),
        (OWN, "[report]\nprecision = x\n", "[report] precision: invalid literal for int() with base 10: 'x'"),
        (OWN, "[report]\nprecision = -1\n", "[report] precision is -1, and goes from 0 to 15"),
        (OWN, "[report]\nprecision = 999999999\n", "[report] precision is 999999999, and goes from 0 to 15"),
        (OWN, f"[report]\nprecision = {'9' * 5000}\n", "[report] precision: Exceeds the limit"),
        (OWN, "[report]\nskip_covered = maybe\n", "[report] skip_covered: Not a boolean: maybe"),
        (OWN, "[report]\nfail_under = 100.5\n", "[report] fail_under is 100.5, and goes from 0 to 100"),
        (OWN, "[report]\nfail_under = nan\n", "[report] fail_under is nan, and goes from 0 to 100"),
        (OWN, "[report]\nexclude_also = (\n", "exclude_also value '('"),
        (OWN, "[report]\nexclude_also = a\n  (?i)b\n", "[report] exclude_lines is no regular expression: global flags"),
        (OWN, "[report]\npartial_also = (?P<a>b)\n  (?P<a>c)\n", "[report] partial_branches is no regular expression"),
        (OWN, "[report]\nexclude_lines = (?:a){99999999999}\n", "[report] exclude_lines: the repetition number"),
        (OWN, f"[report]\nexclude_lines = {'(' * 9999}{')' * 9999}\n", "[report] exclude_lines: maximum recursion"),
        (OWN, "[run]\nomit = ***\n", "[run] omit has ***: "),
        (OWN, "[html]\ntitle = ${TITLE?}\n", "Variable TITLE is undefined"),
        (PYPROJECT, "tool = 3\n", "[run] is no table of options"),
        (PYPROJECT, "tool.coverage = 3\n", "[run] is no table of options"),
        (PYPROJECT, "tool.coverage.report = 'precision'\n", "[report] is no table of options"),
        (PYPROJECT, "tool.coverage.report = ['omit']\n", "[report] is no table of options"),
        (PYPROJECT, "tool.coverage.run.omit = 'x'\n", "omit is not a list: 'x'"),
        (PYPROJECT, 'tool.coverage.run.omit = ["a\\u0000\\u001b"]\n', r"[run] omit has a\x00\x1b: embedded null byte"),
        (PYPROJECT, "tool.coverage.report.exclude_also = [1]\n", "exclude_also is not a list of strings: 1"),
        (PYPROJECT, "tool.coverage.report.fail_under = 'x'\n", "fail_under couldn't convert to a float: 'x'"),
        (PYPROJECT, "[tool.coverage.report\n", "Expected"),
        (PYPROJECT, "a = " + "[" * 9999, "maximum recursion depth exceeded"),
        (
            PYPROJECT,
            f"a = '{'b' * settings.LARGEST}'\n",
            f"has more than {settings.LARGEST} characters: make it smaller",
        ),
    ],
)
def test_what_coverage_cannot_take_is_refused_with_the_value(root, name, text, words):
    written(root, {name: text})
    with pytest.raises(TaskError) as refused:
        read_settings(root)
    said = str(refused.value)
    assert name in said
    assert words in said
    assert said.isprintable()
    assert len(said) < 500


def test_what_is_no_file_of_the_repository_is_not_read(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "credentials"
    outside.write_text("secret\n")
    file = root / OWN
    file.symlink_to(outside)
    with pytest.raises(TaskError, match=r"\.coveragerc leads out of .*: replace the link by a file$"):
        read_settings(root)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(TaskError, match=r"\.coveragerc is not a file: remove it$"):
        read_settings(root)
    file.unlink()
    file.symlink_to(file)
    with pytest.raises(TaskError, match=r"\.coveragerc cannot be read \(.*\): correct this, or remove it$"):
        read_settings(root)
    file.unlink()
    file.write_bytes(b"\xff")
    with pytest.raises(TaskError, match=r"\.coveragerc is not in UTF-8 \(.*\): correct it$"):
        read_settings(root)
    file.unlink()
    (root / "ci").mkdir()
    (root / "ci/rc").write_text("[report]\nprecision = 1\n")
    file.symlink_to("ci/rc")
    assert (read_settings(root).file, read_settings(root).precision) == (OWN, 1)


def test_what_does_not_count_is_named_with_the_reason(root):
    text = "[run]\nbranch = true\nsource = src\nplugins = evil\nrelative_files = false\nparallel = true\nzebra = 1\n"
    found = read_settings(written(root, {OWN: f"{text}[html]\ndirectory = htmlcov\n[xml]\noutput = ci/c.xml\n"}))
    of_lines, strange = found.notes(branch=False)
    assert of_lines == (
        "of .coveragerc these do not count here: [run] branch (COVERAGE_BRANCH has services record branches), [run] "
        "plugins (no plugin is loaded), [run] source (the files count that services are made of), [xml] output (it is "
        "coverage.xml)"
    )
    assert strange == ".coveragerc has [run] zebra, which coverage.py does not know: correct it"
    assert "branch" not in next(found.notes(branch=True))
    assert list(read_settings(written(root, {OWN: INI})).notes(branch=False)) == []


def test_the_template_says_nothing_that_is_lost(root):
    template = read_settings(root)
    assert list(template.notes(branch=False)) == []
    assert template.title == ""
    assert (ROOT / OWN).read_text() == TEMPLATE.read_text()
    assert read_settings(ROOT).file == OWN


# The same data, read by coverage.py itself.

MAIN = """\
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import api


def order(n):
    if n:
        return debug(n)
    raise NotImplementedError


def debug(n):
    print(n)
    return n
"""
SOURCES = {
    "orders/main.py": MAIN,
    "orders/migrations/first.py": "a = 1\nb = 2\n",
    "orders/empty.py": "",
    "orders/full.py": "a = 1\n",
    "libs/rates.py": "RATE = 1\nTAX = 2\n",
}
EXECUTED = {
    "orders/main.py": [1, 3, 7, 8, 13],
    "orders/migrations/first.py": [1],
    "orders/full.py": [1],
    "libs/rates.py": [1],
}


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path / "shop", SOURCES)
    image = {f"/app/{path}": run.source(path) for path in SOURCES}
    run.service("orders", {**image, "/app/orders/made_pb2.py": b"x = 1\n"})
    executed = {f"/app/{path}": (run.source(path), lines) for path, lines in EXECUTED.items()}
    run.lines("orders", {**executed, "/app/orders/made_pb2.py": (b"x = 1\n", [1])})
    combine(run.project)
    return run


def absolute(run, file):
    """The combined data as `coverage run` on this machine would have left it."""
    old, new = CoverageData(str(run.project.coverage_file)), CoverageData(str(file))
    old.read()
    root = run.project.root.resolve()
    new.add_lines({str(root / path): old.lines(path) for path in old.measured_files()})
    new.touch_files([str(root / path) for path in old.measured_files()])
    new.close()
    old.close()
    return file


def coverage(run, *arguments):
    command = [sys.executable, "-m", "coverage", *map(str, arguments)]
    answer = subprocess.run(command, cwd=run.project.root, env=environment(), capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def coverage_json(run, *options):
    return json.loads(coverage(run, "json", "-q", "-o", "-", *options))


def pages(directory):
    return {page.name for page in directory.glob("*_py.html")}


REPOSITORIES = {
    "pyproject.toml": """
[tool.coverage.run]
branch = true
source = ["orders"]
plugins = ["evil"]
[tool.coverage.report]
exclude_also = ["def debug", "return debug"]
omit = ["*/migrations/*"]
precision = 2
""",
    ".coveragerc": """
[report]
exclude_lines =
    raise NotImplementedError
include = orders/*
skip_covered = true
skip_empty = true
[html]
title = <Shop>
""",
    "": "",
}


@pytest.fixture(params=REPOSITORIES)
def repository(request, run, tmp_path):
    """A run whose repository has these settings, and how coverage.py is told to read the very same data by itself."""
    name = request.param
    if not name:
        return run, [f"--data-file={run.project.coverage_file}", f"--rcfile={TEMPLATE}"]
    data = absolute(run, tmp_path / "data")
    (run.project.root / name).write_text(REPOSITORIES[name])
    (run.project.root / "evil.py").write_text("def coverage_init(reg, options):\n    pass\n")  # it loads what is named
    combine(run.project)
    return run, [f"--data-file={data}"]


def test_the_reports_read_a_repository_as_coverage_itself_does(repository, tmp_path):
    run, options = repository
    for report in (formats.JSON, formats.HTML):
        run.write(report)
    found, wanted = json.loads((run.project.root / "coverage.json").read_text()), coverage_json(run, *options)
    assert found["files"] == wanted["files"]
    assert found["totals"] == wanted["totals"]
    totals = read_results(run.project).total()
    *_, last = coverage(run, "report", "--skip-covered", *options).split("TOTAL")
    assert last.split("\n")[0].split() == [str(totals.statements), str(totals.missed), totals.cover.replace(" ", "")]
    coverage(run, "html", "-q", f"--directory={tmp_path / 'html'}", *options)
    assert pages(run.project.root / "htmlcov") == pages(tmp_path / "html")


def test_every_report_has_the_same_files_and_numbers(repository):
    run, _ = repository
    for report in (formats.JSON, formats.XML, formats.LCOV, formats.HTML):
        run.write(report)
    results, found = read_results(run.project), json.loads((run.project.root / "coverage.json").read_text())
    files, total = {*found["files"]}, f"{found['totals']['percent_covered_display']} %"
    assert {*results.files} == files
    with_statements = {path for path, lines in results.files.items() if lines.statements}
    for written in (
        {each.get("filename") for each in ElementTree.parse(run.project.root / "coverage.xml").iter("class")},
        {*re.findall("^SF:(.*)$", (run.project.root / "lcov.info").read_text(), re.MULTILINE)},
    ):
        assert written in (files, with_statements)  # the second with skip_empty
    assert (results.total().cover, results.of_service("orders").cover) == (total, total)
    index = (run.project.root / "htmlcov" / "index.html").read_text()
    assert re.findall('class="big">(.*?)<', index) == [total]
    assert json.loads((run.project.root / "htmlcov" / "badge.json").read_text())["message"].startswith(total)
    assert ("<bdi>&lt;Shop&gt;</bdi></h1>" in index) == (results.settings.file == OWN)
    assert ("# &#60;Shop&#62;\n" in summary.markdown(results)) == (results.settings.file == OWN)
    shown = "".join(page.read_text() for page in (run.project.root / "htmlcov").glob("portal.*.html"))
    assert ("migrations" in shown) == ("orders/migrations/first.py" in files)


def test_the_template_leaves_out_what_no_service_is_meant_to_run(run):
    lines = read_results(run.project).files["orders/main.py"]
    assert lines.statements == {1, 7, 8, 9, 13, 14, 15}


@pytest.mark.parametrize(
    "patterns", ["omit = */migrations/*", "omit = libs\n    orders/f*", "include = orders/*.py\nomit = *full.py"]
)
def test_files_count_that_coverage_would_have_recorded(run, patterns):
    root = run.project.root
    (root / OWN).write_text(f"[run]\nrelative_files = true\n{patterns}\n")
    (root / "all.py").write_text("".join(f"import {path.removesuffix('.py').replace('/', '.')}\n" for path in EXECUTED))
    coverage(run, "run", f"--data-file={root}/own", "all.py")
    own = CoverageData(f"{root}/own")
    own.read()
    combined = combine(run.project)
    assert combined.files == {path for path in SOURCES if path != "orders/empty.py"} & own.measured_files() | {
        path for path in ("orders/empty.py",) if read_settings(root).counts(path)
    }
    assert combined.files
    own.close()


def test_data_files_of_others_are_read_the_same_way(run, tmp_path):
    data = absolute(run, tmp_path / "unit")
    assert "orders/migrations/first.py" in open_run(run.project, str(data)).files
    (run.project.root / OWN).write_text("[run]\nomit = */migrations/*\n[report]\nexclude_also = return debug\n")
    found = open_run(run.project, str(data)).files
    assert "orders/migrations/first.py" not in found
    assert {9, 10} & found["orders/main.py"].statements == {10}


def test_what_is_left_out_is_not_unknown_either(run):
    drifted = run.project.root / "orders/migrations/first.py"
    drifted.write_text("a = 3\nb = 4\n")
    known = combine(run.project)
    assert "orders/migrations/first.py" in known.unknown
    assert "/app/orders/made_pb2.py" in known.services["orders"].unmapped
    assert any("made_pb2" in finding.sentence for finding in known.findings)
    (run.project.root / TOX).write_text("[coverage:run]\nomit =\n    */migrations/*\n    *_pb2.py\n")
    left = combine(run.project)
    assert (left.unknown, left.services["orders"].unmapped) == ({}, {})
    assert not any("made_pb2" in finding.sentence or "migrations" in finding.sentence for finding in left.findings)
    assert read_results(run.project).total().unknown == 0
