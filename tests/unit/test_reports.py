"""Reports: coverage.py's own numbers with repository-relative paths, and a summary that names what is unknown."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from journal_files import Run, sentences

from coverage_tasks.combined.combine import combine
from coverage_tasks.errors import TaskError
from coverage_tasks.recorded.journals import find_journals
from coverage_tasks.recorded.stack import Stack, write_stack
from coverage_tasks.reports import formats, summary
from coverage_tasks.reports.portal.rendering import fitted, step
from coverage_tasks.reports.portal.site import Site
from coverage_tasks.results.lines import Share
from coverage_tasks.results.results import read_results
from coverage_tasks.sources.branch import Changes
from coverage_tasks.text import escaped, markdown_table, percent

FILES = {
    "orders/main.py": "import api\n\n\ndef order():\n    return {\n        'id': 1,\n    }\n",
    "orders/idle.py": "x = 1\n",
    "orders/python2.py": "print 'hello'\n",
    "catalog/main.py": "c = 1\nd = 2\n",
}


@pytest.fixture
def run(tmp_path):
    """orders: 2 of 3 statements of main.py, nothing of idle.py; catalog: everything; web sent nothing."""
    run = Run(tmp_path, FILES)
    names = ("main.py", "idle.py", "python2.py")
    run.service("orders", {f"/app/{name}": run.source(f"orders/{name}") for name in names})
    run.service("catalog", {"/app/main.py": run.source("catalog/main.py")})
    run.service("web", {"/app/main.py": run.source("catalog/main.py")})
    for lines in ([1], [4]):
        run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), lines)})
    run.lines("catalog", {"/app/main.py": (run.source("catalog/main.py"), [1, 2])})
    combine(run.project)
    return run


def printed(run):
    return summary.text(read_results(run.project)) + "\n"


def test_json_has_repository_paths_and_coverages_numbers(run):
    run.write(formats.JSON)
    found = json.loads((run.project.root / "coverage.json").read_text())["files"]
    assert {path: entry["executed_lines"] for path, entry in found.items()} == {
        "catalog/main.py": [1, 2],
        "orders/idle.py": [],
        "orders/main.py": [1, 4],
    }


def test_the_portal_says_what_the_services_ran_in_whatever_is_set_now(run):
    for runtime, name in (("compose", "containers"), ("procfile", "processes of a Procfile")):
        site = Site(replace(run.project, runtime=runtime), read_results(run.project), Changes(), frozenset())
        assert site.runtime == "containers"
        (run.project.state / "stack.json").unlink()
        assert site.runtime == name  # a copy of what services wrote may have no record
        write_stack(run.project.state, Stack("compose", "p", on_host=False, run="first"))


def test_xml_has_repository_paths_and_no_machines(run):
    run.write(formats.XML)
    tree = ElementTree.parse(run.project.root / "coverage.xml")
    assert {entry.get("filename") for entry in tree.iter("class")} == {
        "catalog/main.py",
        "orders/idle.py",
        "orders/main.py",
    }
    assert [source.text for source in tree.iter("source")] == ["."]
    assert str(run.project.root) not in (run.project.root / "coverage.xml").read_text()


def test_lcov_has_repository_paths(run):
    run.write(formats.LCOV)
    assert re.findall(r"SF:(.*)", (run.project.root / "lcov.info").read_text()) == [
        "catalog/main.py",
        "orders/idle.py",
        "orders/main.py",
    ]


def test_html_shows_services_as_contexts_and_drops_stale_pages(run):
    (run.project.root / "htmlcov").mkdir()
    (run.project.root / "htmlcov" / "z_stale.html").write_text("old")
    run.write(formats.HTML)
    pages = {page.name for page in (run.project.root / "htmlcov").glob("*.html")}
    assert "z_stale.html" not in pages
    contexts = [
        re.findall(r"contexts = (\{.*?\})", (run.project.root / "htmlcov" / page).read_text(), re.DOTALL)
        for page in pages
    ]
    assert sorted(json.loads(found[0])["a"] for found in contexts if found) == ["catalog", "orders"]


def test_reports_are_the_same_every_time_but_for_the_clock(run):
    def write():
        for report in (formats.JSON, formats.XML, formats.LCOV, formats.MARKDOWN):
            run.write(report)
        texts = [
            p.read_text()
            for p in (
                run.project.root / "coverage.json",
                run.project.root / "coverage.xml",
                run.project.root / "lcov.info",
                run.project.root / "coverage.md",
            )
        ]
        return [re.sub(r'"timestamp": "[^"]*"|timestamp="\d+"', "", text) for text in texts]

    first = write()
    combine(run.project)
    assert write() == first


def test_reports_work_from_another_directory_than_the_projects(run, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    run.write(formats.JSON)
    assert json.loads((run.project.root / "coverage.json").read_text())["totals"]["covered_lines"] == 4


# Of the last three, the parser has something else to say than of a syntax error.
@pytest.mark.parametrize(
    "text", ["print 'hello'\n", "a = 1\n\0", "a = " + "-" * 50_000 + "1\n", "a = " + "(" * 300, "é"]
)
def test_a_file_that_cannot_be_parsed_is_damage_and_stops_nothing(run, text):
    python2 = run.project.root / "orders/python2.py"
    python2.write_text(text, "latin-1")
    run.service("orders", {"/app/python2.py": python2.read_bytes(), "/app/main.py": run.source("orders/main.py")})
    combine(run.project)
    for report in (formats.HTML, formats.JSON, formats.XML, formats.LCOV):
        run.write(report)
    assert list(json.loads((run.project.root / "coverage.json").read_text())["files"]) == [
        "catalog/main.py",
        "orders/main.py",
    ]
    (damage,) = sentences(read_results(run.project).damage)
    assert damage.startswith("orders/python2.py is unknown: ")
    assert f"- {damage}\n" in printed(run)


@pytest.mark.parametrize(
    ("python", "ran", "remedy"),
    [
        ("3.99.1", True, ": make python3.99 available on PATH, the Python of its service, and reports will use it"),
        pytest.param("9" * 5000 + ".1", True, ": correct it, or leave it out under `omit` in ", id="no version"),
        ("3.99.1", False, "will use it, and if that cannot either, correct it, or leave it out under `omit` in "),
        ("3.8.18", True, ": correct it, or leave it out under `omit` in "),
        ("none", True, ": correct it, or leave it out under `omit` in "),
    ],
)
def test_the_python_that_can_parse_a_file_is_named(run, python, ran, remedy):
    names = ("main.py", "python2.py")
    lines = {f"/app/{name}": (run.source(f"orders/{name}"), [1]) for name in names[: 1 + ran]}
    run.service("orders", {f"/app/{name}": run.source(f"orders/{name}") for name in names}, interpreters=["3.8"])
    for journal in find_journals(run.project.journals):
        journal.unlink()
    run.lines("orders", lines, python=python)
    combine(run.project)
    (damage,) = sentences(read_results(run.project).damage)
    assert remedy in damage


def test_a_path_that_is_no_text_is_named_without_a_link(run):
    # Longer than what fits into a file name, of which coverage.py encodes the directory.
    run.lines("orders", {f"/{'x' * 200}/\udc80/made.py": (b"a = 1\n", [1])})
    combine(run.project)
    run.write(formats.HTML)
    assert "made.py" in (run.project.root / "htmlcov" / "portal.unknown.html").read_text("utf-8")


def test_what_python_warns_of_is_no_damage(run):
    idle = run.project.root / "orders/idle.py"
    idle.write_text("x = 1 is 1\n")
    run.service("orders", {"/app/idle.py": idle.read_bytes(), "/app/main.py": run.source("orders/main.py")})
    combine(run.project)
    run.write(formats.HTML)
    assert sentences(read_results(run.project).damage) == []


def test_summary_has_a_row_per_service_and_the_findings(run):
    lines = printed(run).splitlines()
    assert [line.split() for line in lines[1:5]] == [
        ["catalog", "1", "2", "2", "0", "100", "%", "1", "0", "0"],
        ["orders", "2", "4", "2", "2", "50", "%", "2", "1", "1", "file"],
        ["web", "0", "0", "0", "0", "-", "0", "0", "1", "file,", "2", "statements"],
        ["total", "3", "6", "4", "2", "67", "%", "3", "1", "1", "file"],
    ]
    assert any("web: it sent nothing" in line for line in lines)


def test_markdown_is_written_and_returned(run):
    run.write(formats.MARKDOWN)
    text = summary.markdown(read_results(run.project))
    assert (run.project.root / "coverage.md").read_text() == text
    assert "| orders | 2 | 4 | 2 | 2 | 50 % | 2 | 1 | 1 file |" in text


def test_branch_data_reaches_the_reports(run):
    for journal in find_journals(run.project.journals):
        journal.unlink()
    arcs = [(-1, 1), (1, 2), (2, -1)]
    run.arcs("catalog", {"/app/main.py": (run.source("catalog/main.py"), arcs)})
    combine(run.project)
    run.write(formats.JSON)
    found = json.loads((run.project.root / "coverage.json").read_text())
    assert found["meta"]["branch_coverage"]
    assert found["files"]["catalog/main.py"]["executed_lines"] == [1, 2]


def test_branches_are_in_every_report_whichever_comes_first(tmp_path):
    run = Run(tmp_path, {"app/main.py": "for a in (1, 2):\n    b = 1\nc = 1\n"})
    run.service("web", {"/srv/main.py": run.source("app/main.py")})
    run.arcs("web", {"/srv/main.py": (run.source("app/main.py"), [(-1, 1), (1, 2), (2, 1)])})
    combine(run.project)
    for report in (formats.HTML, formats.JSON, formats.XML, formats.LCOV):
        run.write(report)
    assert json.loads((run.project.root / "coverage.json").read_text())["totals"]["covered_branches"] == 1
    assert 'condition-coverage="50% (1/2)"' in (run.project.root / "coverage.xml").read_text()
    lines = [
        line.split(",")
        for line in (run.project.root / "lcov.info").read_text().splitlines()
        if line.startswith("BRDA:")
    ]
    assert [(line, taken) for line, *_, taken in lines] == [("BRDA:1", "1"), ("BRDA:1", "0")]


def test_branches_count_as_coverage_counts_them(tmp_path):
    run = Run(tmp_path, {"a/m.py": "if x:\n    y = 1\nelse:\n    y = 2\n", "a/n.py": "while x:\n    x -= 1\n"})
    image = {f"/app/{name}": run.source(f"a/{name}") for name in ("m.py", "n.py")}
    run.service("a", image)
    run.service("b", image)
    run.arcs("a", {"/app/m.py": (run.source("a/m.py"), [(-1, 1), (1, 2), (2, -1)])})
    run.arcs("b", {"/app/m.py": (run.source("a/m.py"), [(-1, 1), (1, 4), (4, -1)])})
    combine(run.project)
    run.write(formats.JSON)
    totals = json.loads((run.project.root / "coverage.json").read_text())["totals"]
    results = read_results(run.project)
    whole, one = results.total(), results.of_service("a")
    assert (whole.statements, whole.executed, whole.branches, whole.taken) == (
        totals["num_statements"],
        totals["covered_lines"],
        totals["num_branches"],
        totals["covered_branches"],
    )
    assert (whole.branches, whole.taken, whole.cover) == (4, 2, totals["percent_covered_display"] + " %")
    assert (one.executed, one.branches, one.taken, one.cover) == (2, 4, 1, "33 %")
    heading, *rows = printed(run).splitlines()
    assert "missed  branches  taken  cover" in heading
    assert rows[0].split()[:8] == ["a", "2", "5", "2", "3", "4", "1", "33"]


def test_nothing_combined_is_said_with_the_remedy(tmp_path):
    with pytest.raises(TaskError, match="run coverage-combine first"):
        read_results(Run(tmp_path, {}).project)


def test_settings_that_coverage_refuses_are_named(run):
    (run.project.root / ".coveragerc").write_text("[report]\nexclude_also = (\n")
    with pytest.raises(TaskError, match=r"^\.coveragerc cannot be taken .*'\('.*: correct it$"):
        read_results(run.project)


def test_a_damaged_coverage_file_is_named(run):
    run.project.coverage_file.write_bytes(b"noise" * 1000)
    with pytest.raises(TaskError, match="combine again"):
        read_results(run.project)


def test_an_unwritable_place_is_named_and_nothing_is_left_beside_it(run):
    (run.project.root / "coverage.json").mkdir()
    before = set(run.project.root.iterdir())
    with pytest.raises(TaskError, match="cannot write"):
        run.write(formats.JSON)
    assert set(run.project.root.iterdir()) == before


def test_nothing_to_report_is_said(tmp_path):
    run = Run(tmp_path, FILES)
    run.lines("orders", {})
    combine(run.project)
    with pytest.raises(TaskError, match="no file of the repository counts"):
        run.write(formats.JSON)
    assert not (run.project.root / "coverage.json").exists()


@pytest.mark.parametrize(
    ("executed", "statements", "text"),
    [(0, 0, "-"), (0, 9, "0 %"), (9, 9, "100 %"), (1, 1000, "1 %"), (999, 1000, "99 %"), (1, 2, "50 %")],
)
def test_percentages_are_0_and_100_only_where_they_are(executed, statements, text):
    assert percent(executed, statements) == text


def test_markdown_from_names_is_inert():
    assert escaped("<b>|`x`|[a](b)*") == "&#60;b&#62;&#124;&#96;x&#96;&#124;&#91;a&#93;(b)&#42;"


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("@octocat", "`@octocat`"),
        ("ask @team/all, or #1.", "ask `@team/all`, or `#1`."),
        ("libs/@scope/main_a.py is drifted", "`libs/@scope/main_a.py` is drifted"),
        ("see https://evil.example/login", "see `https://evil.example/login`"),
        ("WWW.evil.example ftp://x mailto:a xmpp:b", "`WWW.evil.example` `ftp://x` `mailto:a` `xmpp:b`"),
        ("owner/repo#1 GH-1 gh-2 :shipit: $x$", "`owner/repo#1` `GH-1` `gh-2` `:shipit`: `$x$`"),
        ("!1 %1 ~bug &1 ^alert", "`!1` `%1` `~bug` `&1` `^alert`"),
        ("&#64;octocat &commat;octocat &lt;b>", "`&#64;octocat` `&commat;octocat` `&lt;b>`"),
        ("a|@b`@c\\@d", "`a`&#124;`@b`&#96;`@c`&#92;`@d`"),
        ("```@x```", "&#96;&#96;&#96;`@x`&#96;&#96;&#96;"),
        ("40 % of 5 & more: a:b, C:3", "40 % of 5 &#38; more: a:b, C:3"),
    ],
)
def test_no_word_becomes_a_link_or_a_mention(text, markdown):
    """GitHub and GitLab make them of what is shown, entities or not, and leave code alone."""
    assert escaped(text) == markdown
    assert markdown_table([{"name": text}])[2] == f"| {markdown} |"


def test_each_service_has_xml_and_lcov_of_its_own(run):
    run.write(formats.XML)
    run.write(formats.LCOV)
    results = read_results(run.project)
    directory = run.project.data / "services"
    counting = {name: set(result.files) & results.files.keys() for name, result in results.combined.services.items()}
    assert {file.stem for file in directory.iterdir()} == {name for name, files in counting.items() if files}
    for name, files in counting.items():
        if not files:
            continue
        root = ElementTree.parse(directory / f"{name}.xml").getroot()
        hits = {
            found.get("filename"): {int(line.get("number")) for line in found.iter("line") if line.get("hits") == "1"}
            for found in root.iter("class")
        }
        assert hits == {path: set(results.files[path].by_service.get(name, ())) for path in files}
        text = (directory / f"{name}.lcov").read_text()
        assert re.findall("^SF:(.*)$", text, re.MULTILINE) == sorted(files)


def test_reports_of_services_that_are_gone_are_removed(run):
    run.write(formats.XML)
    stale = run.project.data / "services" / "gone.xml"
    stale.write_text("")
    run.write(formats.XML)
    assert not stale.exists()


def test_a_service_of_any_name_gets_a_file_of_its_own(run):
    for name in ("../../escape", "a/b", "a_b"):
        run.lines(name, {"/app/main.py": (run.source("orders/main.py"), [1])})
    combine(run.project)
    run.write(formats.XML)
    names = {file.name.partition("-")[0] for file in (run.project.data / "services").iterdir()}
    assert names == {"a_b", "a_b.xml", "_.._escape", "orders.xml", "catalog.xml"}
    assert not (run.project.root / "escape.xml").exists()


def test_the_portal_is_the_index_and_coverages_own_is_beside_it(run):
    run.write(formats.HTML)
    assert "What the running services of" in (run.project.root / "htmlcov" / "index.html").read_text()
    assert 'class="indexfile"' in (run.project.root / "htmlcov" / "portal.files.html").read_text()


@pytest.mark.parametrize(
    ("executed", "of", "expected"),
    [
        (0, 9, 0),
        (1, 1000, 1),
        (246, 1000, 2),
        (25, 100, 2),
        (1, 2, 3),
        (899, 1000, 5),
        (999, 1000, 5),
        (9, 9, 6),
        (0, 0, 0),
    ],
)
def test_a_colour_is_that_of_the_percentage_that_is_shown(executed, of, expected):
    assert step(Share(executed, of)) == expected


@pytest.mark.parametrize(
    ("path", "width", "expected"),
    [
        ("orders/main.py", 100, "orders/main.py"),
        ("orders/main.py", 60, "main.py"),
        ("orders/inventory.py", 60, "invento…"),
        ("orders/part3/", 60, "part3/"),
        ("orders/main.py", 20, ""),
        ("日本語日本語.py", 60, "日本語…"),
        ("a\nb.py", 60, "a\\nb.py"),
    ],
)
def test_a_name_on_the_map_is_cut_where_its_rectangle_ends(path, width, expected):
    assert fitted(path, width) == expected


def test_coverage_md_fits_into_the_summary_of_a_step(run, monkeypatch):
    monkeypatch.setattr("coverage_tasks.text.SUMMARY_BYTES", 300)
    text = summary.markdown(read_results(run.project))
    assert "more lines do not fit here" in text
    assert len(text) < 500


def test_links_in_the_place_of_reports_are_replaced_and_never_followed(run, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "index.html").write_text("mine")
    (theirs / "file").write_text("mine")
    project = run.project
    places = [report.path(project) for report in formats.REPORTS if report is not formats.HTML]
    html = formats.HTML.path(project).parent
    html.symlink_to(theirs)
    for place in places:
        place.symlink_to(theirs / "file")
    for report in formats.REPORTS:
        run.write(report)
    assert {path.name: path.read_text() for path in theirs.iterdir()} == {"index.html": "mine", "file": "mine"}
    assert not any(place.is_symlink() for place in (html, *places))
