"""The badge says the total, and not as if it were the whole truth where something is unknown."""

import json
import re
from xml.etree import ElementTree

import pytest
from journal_files import Run
from portal import sites

from coverage_tasks.combined.combine import combine
from coverage_tasks.recorded.sightings import Place, add_sightings
from coverage_tasks.reports import formats
from coverage_tasks.reports.badge import LABEL, WIDTHS, Badge
from coverage_tasks.reports.portal.rendering import COLOURS, NO_COLOUR, STEPS
from coverage_tasks.results.results import read_results

GREY = NO_COLOUR[0]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def run(tmp_path):
    """orders executed two of four statements; proxy has no Python."""
    run = Run(tmp_path, {"orders/main.py": "a = 1\nif a:\n    a = 2\n    a = 3\n", "web/main.py": "b = 1\n"})
    run.service("orders", {"/app/main.py": run.source("orders/main.py")})
    run.service("proxy", {}, measured=False, reason="its image has no CPython", interpreters=[])
    run.lines("orders", {"/app/main.py": (run.source("orders/main.py"), [1, 2])}, host="orders")
    return run


def written(run):
    """What badge.json holds."""
    combine(run.project)
    run.write(formats.HTML)
    return json.loads((run.project.root / "htmlcov" / "badge.json").read_text())


def test_json_is_what_shields_takes_and_no_other_key(run):
    # Its schema: https://github.com/badges/shields/blob/master/services/endpoint-common.js
    assert written(run) == {
        "schemaVersion": 1,
        "label": "service coverage",
        "message": "50 %",
        "color": COLOURS[3][0],
        "isError": False,
    }


def silent(run):
    run.service("web", {"/app/main.py": run.source("web/main.py")})


def too_old(run):
    run.lines("web", {}, engine="none", python="3.6.15", refusals=["Python 3.6.15 is too old"])


def without_receipt(run):
    places = [Place(f"orders-{host}", "orders", host, "python main.py", 1.0, None) for host in ("orders", "other")]
    add_sightings(run.project, places)


def one_process_too_old(run):
    run.lines("orders", {}, engine="none", python="2.7.18")


def damaged(run):
    (run.project.journals / "noise.journal").write_bytes(b"noise" * 100)


def not_mapped(run):
    run.lines("orders", {"/app/generated.py": (b"c = 1\n", [1])})


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ([silent], "1 service, 1 file"),
        ([too_old], "1 service"),
        ([without_receipt], "1 process"),
        ([one_process_too_old], "1 process"),
        ([damaged], "1 journal"),
        ([not_mapped], "1 file"),
        ([silent, one_process_too_old, damaged, not_mapped], "1 service, 1 process, 1 journal, 2 files"),
    ],
)
def test_where_something_is_unknown_the_badge_says_what_and_has_no_colour(run, change, unknown):
    for each in change:
        each(run)
    found = written(run)
    assert (found["message"], found["color"], found["isError"]) == (f"50 %, unknown: {unknown}", GREY, True)


def test_the_colour_of_what_is_unknown_is_that_of_no_step():
    assert NO_COLOUR not in COLOURS
    assert len({fill for fill, _ in COLOURS}) == len(STEPS) + 3  # and nothing, next to nothing, and everything


@pytest.mark.parametrize(("called", "message", "step"), [(999, "99 %", 5), (1000, "100 %", 6), (1, "1 %", 1)])
def test_numbers_are_rounded_and_coloured_as_in_the_portal(tmp_path, called, message, step):
    run = Run(tmp_path, {"a.py": "a = 1\n" * 1000})
    run.service("a", {"/app/a.py": run.source("a.py")})
    run.lines("a", {"/app/a.py": (run.source("a.py"), range(1, called + 1))})
    found = written(run)
    assert (found["message"], found["color"]) == (message, COLOURS[step][0])
    assert f'<p class="big">{message}</p>' in (run.project.root / "htmlcov" / "index.html").read_text()


def test_of_no_statements_there_is_no_number(tmp_path):
    run = Run(tmp_path, {"a.py": "a = 1  # pragma: no cover\n"})
    run.service("a", {"/app/a.py": run.source("a.py")})
    run.lines("a", {"/app/a.py": (run.source("a.py"), [])})
    found = written(run)
    assert (found["message"], found["color"], found["isError"]) == ("no statements", GREY, True)


def test_the_picture_says_the_same_and_needs_nothing_else(run):
    silent(run)
    badge = written(run)
    root = ElementTree.parse(run.project.root / "htmlcov" / "badge.svg").getroot()
    assert {element.tag for element in root.iter()} == {SVG + tag for tag in ("svg", "title", "rect", "g", "text")}
    assert not [name for element in root.iter() for name in element.attrib if re.match(r"on|style|.*href", name)]
    assert "url(" not in ElementTree.tostring(root, "unicode")
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == f"{badge['label']}: {badge['message']}"
    assert [text.text for text in root.iter(f"{SVG}text")] == [badge["label"], badge["message"]]
    assert [box.get("fill") for box in root.iter(f"{SVG}rect")][1] == badge["color"]


def test_each_text_of_the_picture_is_in_its_box():
    root = ElementTree.fromstring(Badge("63 %, unknown: 12 services", *NO_COLOUR, known=False).picture())
    boxes, texts = list(root.iter(f"{SVG}rect")), list(root.iter(f"{SVG}text"))
    end = 0
    for box, text in zip(boxes, texts, strict=True):
        start, width = float(box.get("x", "0")), float(box.get("width"))
        assert start == end
        end = start + width
        assert start < float(text.get("x")) < float(text.get("x")) + float(text.get("textLength")) < end
    assert float(root.get("width")) == end
    assert root.get("viewBox") == f"0 0 {end:g} {root.get('height')}"


def test_no_name_reaches_the_badge(tmp_path):
    run = sites.hostile(tmp_path)
    run.service("<script>alert(1)</script>")
    message = written(run)["message"]
    assert re.fullmatch(r"\d+ %, unknown: 1 service, \d+ files?", message)
    assert {*LABEL, *message} <= WIDTHS.keys()


def test_every_number_and_noun_has_a_width():
    nouns = "services, processes, journals, files, service, process, journal, file, unknown: no statements"
    assert {*nouns, *"0123456789 %"} <= WIDTHS.keys()


def test_the_badge_is_made_of_the_results_alone(run):
    written(run)
    made = Badge.of(read_results(run.project))
    assert (run.project.root / "htmlcov" / "badge.json").read_text() == made.endpoint()
    assert (run.project.root / "htmlcov" / "badge.svg").read_text() == made.picture()
