"""The portal in a real browser: everything is there without scripts, every link leads somewhere, names stay names."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from portal import sites
from unit.journal_files import Run

from coverage_tasks import reports
from coverage_tasks.badge import NO_STEP, STEPS, Badge
from coverage_tasks.combine import combine

pytestmark = pytest.mark.browser

VIEWS = (
    "index.html",
    *(f"portal.{name}.html" for name in ("gaps", "functions", "who", "shared", "unknown", "processes")),
    *(f"portal.{name}.html" for name in ("startup", "changed")),
    *(f"service.{name}.html" for name in ("orders", "mailer", "legacy")),
)
BADGES = ("htmlcov/badge.svg", "htmlcov/badge.json")
PORTAL = re.compile(r'<link rel="stylesheet" href="portal.css">')


def portal_pages(directory):
    """The pages that are not coverage.py's."""
    return sorted(page for page in directory.glob("*.html") if PORTAL.search(page.read_text()))


def rows(page, section=""):
    """The text of the cells of the tables in a section, row by row."""
    script = "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    return page.locator(f"{section} tbody tr").evaluate_all(script)


def tiles(page):
    """The titles of the rectangles on a map, and their colours: path -> (percent, number of the step)."""
    script = "tiles => tiles.map(tile => [tile.querySelector('title').textContent, tile.getAttribute('class')])"
    found = page.locator(".tile").evaluate_all(script)
    parts = [(*title.rsplit(": ", 1), int(classes[-1])) for title, classes in found]
    return {path: (what.split(" of ")[0], step) for path, what, step in parts}


# What the pages say.


def test_numbers_are_those_of_coverages_reports(shop, open_page):
    totals = json.loads((shop.parent / "coverage.json").read_text())["totals"]
    page = open_page(shop / "index.html")
    assert page.locator(".big").inner_text() == f"{totals['percent_covered_display']} %"
    facts = page.locator(".facts").inner_text()
    assert f"{totals['covered_lines']} of {totals['num_statements']}" in facts
    assert "3 of 6, as containers" in facts


def test_services_have_a_row_each_and_the_unknown_no_numbers(shop, open_page):
    found = {name: cells for name, *cells in rows(open_page(shop / "index.html"), ".services")}
    #                       cover   all    executed missed only here, import start-up traffic, files, processes
    assert found["orders"] == ["53 %", "506", "266", "240", "210", "56", "61", "149", "3", "0", "2", "0", "0", "0"]
    assert found["shipping"][-4:] == ["0", "2", "0", "0"]
    assert found["mailer"] == ["sent nothing", "3", "0", "0", "0", "0"]
    assert found["legacy"] == ["no process of its service could be measured", "0", "0", "0", "1", "0"]
    assert found["proxy"][0] == "is not measured: its image has no CPython"


def test_the_band_names_the_silent_service_and_what_else_was_found(shop, open_page):
    band = open_page(shop / "index.html").locator(".band").inner_text()
    assert band.startswith("Nothing is known of mailer")
    assert "catalog: services/catalog/search.py is unknown" in band
    assert "legacy: Python 3.6.15 is too old" in band


def test_maps_differ_by_version(shop, open_page):
    refunds, labels = "services/orders/checkout/refunds.py", "services/shipping/labels.py"
    everything = tiles(open_page(shop / "index.html"))
    assert everything[refunds] == ("21 %", 1)
    assert everything[labels] == ("0 %", 0)
    assert everything["libs/pricing/money.py"] == ("100 %", 6)
    assert set(everything) == {path for path in sites.SHOP if "search" not in path and "mailer" not in path}
    assert tiles(open_page(shop / "portal.startup.html"))[refunds] == ("9 %", 1)
    assert set(tiles(open_page(shop / "portal.changed.html"))) == {refunds, "libs/events/bus.py"}
    orders = tiles(open_page(shop / "service.orders.html"))
    assert orders["libs/events/bus.py"] == ("71 %", 3)
    assert labels not in orders


def test_gaps_begin_with_those_of_the_branch(shop, open_page):
    page = open_page(shop / "portal.gaps.html")
    changed, others = (page.locator("table").nth(number).locator("tbody th").all_inner_texts() for number in (0, 1))
    assert changed == ["services/orders/checkout/refunds.py"]
    assert others[:2] == ["services/catalog/storage/migrations.py", "services/orders/checkout/payment.py"]
    assert rows(page)[0] == [changed[0], "77", "97", "21 %", "orders"]


def test_functions_never_executed_lead_to_their_line(shop, open_page):
    page = open_page(shop / "portal.functions.html")
    assert rows(page)[0] == ["migrations_0", "14", "services/catalog/storage/migrations.py", "catalog, never imported"]
    page.locator("tbody a").first.click()
    assert page.url.endswith("_migrations_py.html#t4")
    assert "def migrations_0" in page.locator("p:has(#t4)").inner_text()


def test_who_runs_a_file_and_when(shop, open_page):
    page = open_page(shop / "portal.who.html")
    found = rows(page)
    bus = next(number for number, row in enumerate(found) if row[0] == "bus.py")
    assert found[bus] == ["bus.py", "49", "100 %", "orders", "35", "7", "21", "7", "0"]
    assert found[bus + 1] == ["shipping", "49", "7", "14", "28", "14"]
    assert ["postage.py", "19", "0 %", "nobody, never imported; part of catalog, orders, shipping"] in found
    page.locator("summary").click()
    page.get_by_role("link", name="services/shipping").click()
    assert page.locator(":target").inner_text() == "services/shipping"


def test_shared_folders_and_services(shop, open_page):
    assert rows(open_page(shop / "portal.shared.html")) == [
        ["libs/pricing", "103", "82 %\n84 of 103", "39 %\n40 of 103", "40 %\n41 of 103", "58 %\n60 of 103"],
        ["libs/events", "80", "78 %\n62 of 80", "not its own", "44 %\n35 of 80", "78 %\n62 of 80"],
    ]


def test_unknown_files_have_their_reason(shop, open_page):
    text = open_page(shop / "portal.unknown.html").locator("main").inner_text()
    assert re.search(r"catalog\s+the source that ran is another one: .*\s+services/catalog/search.py\n", text)
    assert re.search(r"mailer\s+its service sent nothing\s+libs/events/bus.py\s", text)


def test_processes_say_what_became_of_them(shop, open_page):
    page = open_page(shop / "portal.processes.html")
    found = rows(page, "section[aria-labelledby='service.shipping']")
    assert [(row[0], row[1], row[-1]) for row in found] == [("Python 3.12.4, tracer", "shipping", "end unknown")] * 2
    assert "0 complete, 2 with unknown end" in page.locator("section[aria-labelledby='service.shipping']").inner_text()


def test_raw_data_is_linked_where_it_is(shop, open_page):
    page = open_page(shop / "index.html")
    names = ["coverage.json", "coverage.xml", "lcov.info", "coverage.md", "coverage-data/combined.json", *BADGES]
    assert page.locator(".raw a").all_inner_texts() == names
    page = open_page(shop / "service.orders.html")
    assert page.locator(".raw a").all_inner_texts() == [f"coverage-data/services/orders{s}" for s in (".xml", ".lcov")]


# Coverage.py's pages.


def test_pages_of_coverage_stay_and_its_index_is_files(shop, open_page):
    index = (shop / "portal.files.html").read_text()
    assert 'class="indexfile"' in index
    page = open_page(shop / "index.html")
    page.get_by_role("link", name="Source", exact=True).click()
    page.get_by_role("link", name="Functions", exact=True).click()
    page.get_by_role("link", name="Files", exact=True).click()
    assert page.url == (shop / "portal.files.html").as_uri()
    page.get_by_role("link", name="refunds.py").click()
    assert '"orders"' in page.content()  # services as contexts
    page.get_by_role("link", name="index").first.click()
    assert page.url == (shop / "index.html").as_uri()


# Links and scripts.


LINKS_AND_PLACES = """[
    [...document.querySelectorAll('a[href]')].map(a => new URL(a.getAttribute('href'), location).href),
    [...document.querySelectorAll('[id]')].map(element => element.id),
]"""


def crawl(open_page, start):
    """Visit everything that the page leads to; returns the visited files, and the links that lead nowhere."""
    seen, dead, places = set(), set(), {start.as_uri(): set()}
    while fresh := places.keys() - seen:
        url = min(fresh)
        seen.add(url)
        links, ids = open_page(path_of(url)).evaluate(LINKS_AND_PLACES)
        dead |= {f"{url}#{place}" for place in places[url] - {"", *ids}}
        for link in set(links):
            file, place = urldefrag(link)
            if not file.startswith("file:"):
                assert urlsplit(file).hostname == "coverage.readthedocs.io"
            elif not path_of(file).is_file():
                dead.add(link)
            elif file.endswith(".html"):
                target = path_of(file).as_uri()
                places.setdefault(target, set()).add(unquote(place))
    return {path_of(url) for url in seen}, dead


def path_of(url):
    return Path(unquote(urlsplit(url).path))


@pytest.mark.parametrize("site", ["shop", "hostile"])
def test_every_link_leads_somewhere_and_every_page_is_reached(site, open_page, request):
    directory = request.getfixturevalue(site)
    visited, dead = crawl(open_page, directory / "index.html")
    assert dead == set()
    assert visited == set(directory.glob("*.html"))


def test_nothing_is_lost_without_scripts(shop, open_page):
    for name in VIEWS:
        with_scripts = open_page(shop / name).locator("body").inner_text()
        assert open_page(shop / name, java_script_enabled=False).locator("body").inner_text() == with_scripts


class Tags(HTMLParser):
    """The elements of a page and the names of their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.attributes, self.policy = set(), set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]


@pytest.mark.parametrize("site", ["shop", "hostile"])
def test_pages_have_no_scripts_and_no_inline_styles_and_allow_none(site, request):
    for page in portal_pages(request.getfixturevalue(site)):
        tags = Tags(page.read_text())
        assert tags.policy.split("; ")[:2] == ["default-src 'none'", "style-src 'self'"]
        assert not tags.elements & {"script", "style", "iframe", "object", "embed", "form", "img", "base"}
        assert not {name for name in tags.attributes if name == "style" or name.startswith("on")}


def test_the_policy_stops_a_script_and_not_the_style(shop, tmp_path, chromium):
    page, style = tmp_path / "page.html", tmp_path / "portal.css"
    style.write_text((shop / style.name).read_text())
    text = (shop / "index.html").read_text()
    page.write_text(text.replace("</main>", "<script>document.title = 'taken'</script><p style='color: red'></main>"))
    opened = chromium.open(page)
    assert opened.title() == "shop: 63 % executed"
    assert opened.locator("p").last.evaluate("element => getComputedStyle(element).color") != "rgb(255, 0, 0)"
    assert opened.locator("body").evaluate("element => getComputedStyle(element).margin") == "0px"
    assert len(chromium.wrong) == 2


# Names.


def test_hostile_names_are_shown_and_nothing_more(hostile, open_page):
    text = open_page(hostile / "portal.who.html").locator("main").inner_text()
    for shown in (
        "javascript:alert(1);.py",
        "<img src=x onerror=alert(1)>.py",
        "{{ 7 * 7 }}{% raw %}.py",
        "new\\nline.py",
        "right\\u202eto\\u2066left.py",
        "per%63ent#hash?query&amp;.py",
        "</td><script>alert(1)</script>",
        "two\\nlines\\u202e",
    ):
        assert shown in text
    unknown = open_page(hostile / "portal.unknown.html").locator("main").inner_text()
    assert "<script>alert(1)</script>.py" in unknown
    for page in portal_pages(hostile):
        assert not re.search(r"[\u202a-\u202e\u2066-\u2069]", page.read_text())


def test_a_file_with_the_name_of_a_script_is_only_a_link(hostile, open_page):
    for name in ("index.html", "portal.gaps.html", "portal.files.html"):
        page = open_page(hostile / name)
        page.locator("a[href*='javascript']").first.click()
        assert path_of(page.url).name == "javascript:alert(1);_py.html"
        assert "def work_0" in page.locator("main").inner_text()


def test_hostile_names_do_not_widen_a_page(hostile, open_page):
    for page in portal_pages(hostile):
        opened = open_page(page, viewport={"width": 390, "height": 800})
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390, page.name


# For everybody.


@pytest.mark.parametrize(
    ("scheme", "views", "rules"),
    [("light", VIEWS, {}), ("dark", (*VIEWS[:2], *VIEWS[4:7], "service.orders.html"), {"runOnly": ["color-contrast"]})],
)
def test_axe_finds_no_violation(shop, open_page, scheme, views, rules):
    found = {}
    for name in views:
        # Axe is a script, so the policy is put aside for it.
        page = open_page(shop / name, bypass_csp=True, color_scheme=scheme)
        page.locator("details").evaluate_all("all => all.forEach(element => element.open = true)")
        violations = Axe().run(page, options={"preload": False, **rules}).response["violations"]
        found[name] = [(violation["id"], [node["html"] for node in violation["nodes"][:3]]) for violation in violations]
    assert found == {name: [] for name in views}


def test_text_on_every_colour_of_the_map_can_be_read(shop, open_page):
    page = open_page(shop / "index.html")
    colours = page.locator(".legend .swatch[class*=' s']").evaluate_all(
        "all => all.map(e => [getComputedStyle(e).getPropertyValue('--step'), "
        "getComputedStyle(e).getPropertyValue('--on')])"
    )
    steps = [pair for pair in colours if pair[0]]
    assert len({step for step, _ in steps}) == 7
    luminances = [luminance(step) for step, _ in steps]
    assert luminances == sorted(luminances)  # also without seeing colours
    assert min(contrast(*pair) for pair in steps) >= 4.5


def luminance(colour):
    parts = [int(colour.strip()[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_dark_is_dark_and_paper_is_white(shop, open_page):
    background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    page = open_page(shop / "index.html", color_scheme="dark")
    assert max(page.evaluate(background)) < 40
    page.emulate_media(media="print")
    assert min(page.evaluate(background)) == 255
    assert not page.locator("nav").first.is_visible()
    page.emulate_media(media="screen", color_scheme="light")
    assert min(page.evaluate(background)) > 240


def test_a_printed_page_has_what_is_folded_up(shop, open_page):
    page = open_page(shop / "portal.who.html", java_script_enabled=False)
    directory = page.locator("details li").first
    assert not directory.is_visible()
    page.emulate_media(media="print")
    assert directory.is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_the_keyboard_reaches_content_and_map(shop, open_page):
    page = open_page(shop / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    seen = set()
    while "tile" not in seen and len(seen) < 60:
        page.keyboard.press("Tab")
        seen |= {page.evaluate("document.activeElement.getAttribute('class') || document.activeElement.href")}
        seen |= {"tile"} if any(str(name).startswith("tile ") for name in seen) else set()
    page.keyboard.press("Enter")
    page.wait_for_url("**/*_py.html")


# The badge.


TEXTS = """texts => texts.map(text => {
    const box = text.ownerSVGElement.querySelectorAll('rect')[text.previousElementSibling ? 1 : 0].getBBox();
    const shown = text.getBBox(), stretched = text.textLength.baseVal.value;
    text.removeAttribute('textLength');
    return {
        inside: box.x <= shown.x && shown.x + shown.width <= box.x + box.width
            && box.y <= shown.y && shown.y + shown.height <= box.y + box.height,
        stretched: stretched / text.getComputedTextLength(),
    };
})"""
BADGE_TEXTS = ("1 %", "100 %", "63 %, unknown: 2 services, 11 processes, 1 journal, 1234567890 files", "no statements")


def test_the_badge_of_a_run_is_a_picture_with_a_name(shop, open_page):
    page = open_page(shop / "badge.svg")
    name = "service coverage: 63 %, unknown: 2 services, 2 files"
    assert page.get_by_role("img", name=name, exact=True).count() == 1
    assert page.title() == name


def test_texts_of_badges_fit_their_boxes_and_can_be_read(open_page, tmp_path):
    badges = [Badge(text, *colours, known=True) for colours in (*STEPS, NO_STEP) for text in BADGE_TEXTS]
    pictures = "".join(f"<p>{badge.picture()}</p>" for badge in badges)
    head = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Badges</title></head>'
    (tmp_path / "badges.html").write_text(f"{head}<body><main><h1>Badges</h1>{pictures}</main></body></html>")
    page = open_page(tmp_path / "badges.html")
    assert Axe().run(page).response["violations"] == []
    texts = page.locator("svg text").evaluate_all(TEXTS)
    assert len(texts) == 2 * len(badges)
    assert all(text["inside"] for text in texts)
    # No font is drawn much wider or narrower than it is.
    assert all(0.9 < text["stretched"] < 1.15 for text in texts), texts
    colours = page.locator("svg").evaluate_all(
        "all => all.flatMap(svg => [...svg.querySelectorAll('text')].map((text, at) => "
        "[svg.querySelectorAll('rect')[at].getAttribute('fill'), text.getAttribute('fill')]))"
    )
    assert min(contrast(*pair) for pair in colours) >= 4.5


# What there is not.


def test_without_git_and_without_marks_nothing_is_made_up(tmp_path, open_page):
    run = Run(tmp_path, {"app/main.py": "def run():\n    return 1\n\n\nrun()\n"})
    run.service("app", {"/app/main.py": run.source("app/main.py")})
    run.lines("app", {"/app/main.py": (run.source("app/main.py"), [1, 2, 5])})
    combine(run.project)
    reports.html(run.project)
    page = open_page(run.project.html / "portal.changed.html")
    assert "is not known: git" in page.locator("main").inner_text()
    assert page.locator(".map").count() == 0
    assert "was not recorded" in open_page(run.project.html / "portal.startup.html").locator("main").inner_text()
    page = open_page(run.project.html / "index.html")
    assert rows(page, ".services")[0][-8:-6] == ["2", "1"]
    assert "when start-up ended was not recorded" in page.locator("main").inner_text()
    assert "Nothing to look at" in page.locator(".band").inner_text()
    assert page.locator(".raw a").all_inner_texts() == ["coverage-data/combined.json", *BADGES]


def test_branches_have_their_columns(tmp_path, open_page):
    run = Run(tmp_path, {"app/main.py": "import os\nif os.sep:\n    x = 1\nelse:\n    x = 2\n"})
    run.service("app", {"/app/main.py": run.source("app/main.py")})
    run.arcs("app", {"/app/main.py": (run.source("app/main.py"), [(-1, 1), (1, 2), (2, 3), (3, -1)])})
    combine(run.project)
    reports.html(run.project)
    page = open_page(run.project.html / "index.html")
    assert "1 of 2" in page.locator(".facts").inner_text()
    assert rows(page, ".services")[0][:7] == ["app", "67 %", "4", "3", "1", "2", "1"]
    assert tiles(page) == {"app/main.py": ("67 %", 3)}
