"""The portal in a real browser: everything is there without scripts, every link leads somewhere, names stay names."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from data_files import data_file
from journal_files import Run
from portal import sites

from coverage_tasks.combined.combine import combine
from coverage_tasks.reports import formats
from coverage_tasks.reports.badge import Badge
from coverage_tasks.reports.portal.rendering import COLOURS, NO_COLOUR

pytestmark = pytest.mark.browser

VIEWS = (
    "index.html",
    *(f"portal.{name}.html" for name in ("gaps", "functions", "who", "shared", "unknown", "processes")),
    *(f"portal.{name}.html" for name in ("startup", "changed")),
    *(f"service.{name}.html" for name in ("orders", "catalog", "shipping", "mailer", "legacy", "proxy")),
)
BADGES = ("htmlcov/badge.svg", "htmlcov/badge.json")
COMPUTED = """all => all.map(element => getComputedStyle(element)).map(
    style => [style.getPropertyValue("--step"), style.getPropertyValue("--on")]
)"""
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
    # A process could not be measured.
    assert page.locator(".big").inner_text().split() == ["at", "least", totals["percent_covered_display"], "%"]
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
    names = ["coverage.json", "coverage.xml", "lcov.info", "coverage.md", "htmlcov/combined.json", *BADGES]
    assert page.locator(".raw a").all_inner_texts() == names
    page = open_page(shop / "service.orders.html")
    assert page.locator(".raw a").all_inner_texts() == [f"coverage-data/services/orders{s}" for s in (".xml", ".lcov")]


# What changed since another run.


def test_before_and_after_begins_with_what_was_lost(later, open_page):
    page = open_page(later / "portal.before.html")
    assert page.locator("h2").all_inner_texts()[:3] == ["Newly lost", "Newly covered", "New and not executed"]
    payment, refunds = "services/orders/checkout/payment.py", "services/orders/checkout/refunds.py"
    assert rows(page, "[aria-labelledby='lost']") == [
        [f"{refunds} all of it", "20", "1-18, 32, 46, 60, 74, 88, 102", "20.61 %", "0.00 %", "orders"],
        [payment, "18", "65-73, 77-85", "62.80 %", "47.93 %", "orders"],
        ["services/catalog/storage/inventory.py", "7", "85-91", "91.35 %", "80.72 %", "catalog"],
    ]
    assert [row[:3] for row in rows(page, "[aria-labelledby='covered']")] == [
        ["services/catalog/storage/migrations.py nothing of it before", "34", "1-38, 55, 72"],
        ["services/orders/checkout/basket.py", "5", "69-73"],
    ]
    assert rows(page, "[aria-labelledby='untested']")[0][:3] == [
        "services/catalog/storage/inventory.py",
        "2",
        "104-105",
    ]
    page.get_by_role("link", name="65-73, 77-85").click()
    assert page.url.endswith("_payment_py.html#t65")
    page = open_page(later / "portal.before.html")
    page.locator("[aria-labelledby='lost']").get_by_role("link", name="orders", exact=True).first.click()
    assert page.locator(":target").inner_text().startswith("refunds.py")


def test_what_one_of_the_runs_does_not_know_is_not_lost(later, open_page):
    page = open_page(later / "portal.before.html")
    assert {name: cells for name, *cells in rows(page, "[aria-labelledby='services']")} == {
        "catalog": ["6", "299", "50.84 %", "59.53 %", "7", "34", "2", "0"],
        "legacy": ["not comparable: no process of its service could be measured, in both runs"],
        "mailer": ["not comparable: sent nothing, in both runs"],
        "orders": ["9", "506", "52.56 %", "46.04 %", "38", "5", "0", "0"],
        "proxy": ["not comparable: is not measured: its image has no CPython, in both runs"],
        "shipping": ["not comparable: sent nothing, in the present run"],
    }
    # What only shipping executed of the folders it shares is not there either.
    assert [row[0] for row in rows(page, "[aria-labelledby='directories']")] == [
        "services/catalog/storage",
        "services/orders/checkout",
    ]
    text = page.locator("[aria-labelledby='incomparable']").inner_text().splitlines()
    assert text[1] == "its service sent nothing, in the present run"
    assert [line for line in text if line.endswith(".py")] == [
        f"services/shipping/{f}.py" for f in ("labels", "worker")
    ]


def test_the_map_of_what_changed_says_it_in_text_too(later, open_page):
    page = open_page(later / "portal.before.html")
    titles = page.locator(".tile title").all_text_contents()
    assert "services/orders/checkout/payment.py: \N{MINUS SIGN}18 of 121 statements" in titles
    assert "services/catalog/storage/migrations.py: +34 of 76 statements" in titles
    assert "libs/events/bus.py: ±0 of 49 statements" in titles
    shown = page.locator(".tile").evaluate_all(
        "all => all.map(tile => [tile.classList[1], tile.lastChild.textContent])"
    )
    assert ["lost", "\N{MINUS SIGN}18"] in shown
    assert ["covered", "+34"] in shown
    assert ["same", "±0"] in shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_on_every_colour_of_what_changed_can_be_read(later, open_page, scheme):
    page = open_page(later / "portal.before.html", color_scheme=scheme)
    pairs = page.locator(".legend .swatch").evaluate_all(COMPUTED)
    assert len({colour for colour, _ in pairs}) == 4
    assert min(contrast(*pair) for pair in pairs) >= 4.5


def test_the_overview_leads_to_what_changed(later, open_page):
    page = open_page(later / "index.html")
    line = page.locator(".hero p").last
    assert line.inner_text() == "Since main: 61.01 % → 59.90 % of what can be compared, 3 files lost lines"
    line.get_by_role("link").click()
    assert "61.01 % → 59.90 %" in page.locator(".big").inner_text()
    page.locator(".versions").get_by_role("link", name="Start-up").click()
    page.locator(".versions").get_by_role("link", name="Before and after").click()
    assert page.url.endswith("portal.before.html#map")


def test_nothing_is_said_of_another_run_unless_it_is_asked_for(shop):
    assert not (shop / "portal.before.html").exists()
    assert not any("portal.before" in page.read_text() for page in portal_pages(shop))


def test_a_run_without_services_is_compared_by_files(tmp_path, open_page):
    run = Run(tmp_path, {"app/main.py": "a = 1\nb = 2\n"})
    run.service("app", {"/app/main.py": run.source("app/main.py")})
    run.lines("app", {"/app/main.py": (run.source("app/main.py"), [1])})
    unit = data_file(tmp_path / "unit.coverage", lines={tmp_path / "app/main.py": [1]})
    html = sites.reported(run, before=str(unit))
    text = open_page(html / "portal.before.html").locator("main").inner_text()
    assert "50.00 % → 50.00 %\nof the statements of 1 file\n" in text
    assert "unit.coverage does not say which sources it speaks of" in text
    assert "One of the runs has no services." in text
    assert "In no directory did anything change." in text
    assert text.count("There are none.") == 3
    assert "50.00 % → 50.00 %, no file lost lines" in open_page(html / "index.html").locator(".hero").inner_text()


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


@pytest.mark.parametrize("site", ["shop", "later", "hostile"])
def test_every_link_leads_somewhere_and_every_page_is_reached(site, open_page, request):
    directory = request.getfixturevalue(site)
    visited, dead = crawl(open_page, directory / "index.html")
    assert dead == set()
    assert visited == set(directory.glob("*.html"))


def test_views_are_all_pages_but_coverages(shop, later):
    assert {page.name for page in portal_pages(shop)} == set(VIEWS)
    assert {page.name for page in portal_pages(later)} == {*VIEWS, "portal.before.html"}


def test_nothing_is_lost_without_scripts(shop, later, open_page):
    for view in (*(shop / name for name in VIEWS), later / "portal.before.html"):
        # Without the policy, which stops scripts as well.
        with_scripts = open_page(view, bypass_csp=True).locator("body").inner_text()
        assert open_page(view, java_script_enabled=False).locator("body").inner_text() == with_scripts


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


@pytest.mark.parametrize("site", ["shop", "later", "hostile"])
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
    assert opened.title() == "shop: at least 63 % executed"
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
    before = open_page(hostile / "portal.before.html").locator("main").inner_text()
    assert "/coverage-data/<img src=x onerror=alert(3)> \\u202e{{ 7 * 7 }}" in before
    assert f"{sites.OLD_LABEL}\tnot comparable: it is not in the present run" in before
    assert "new\\nline.py" in before
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
    ("site", "scheme", "views", "rules"),
    [
        ("shop", "light", VIEWS, {}),
        ("shop", "dark", (*VIEWS[:2], *VIEWS[4:7], "service.orders.html"), {"runOnly": ["color-contrast"]}),
        ("later", "light", ("portal.before.html", "index.html"), {}),
        ("later", "dark", ("portal.before.html", "index.html"), {"runOnly": ["color-contrast"]}),
        ("hostile", "light", ("portal.before.html",), {}),
    ],
)
def test_axe_finds_no_violation(site, open_page, scheme, views, rules, request):
    found = {}
    for name in views:
        # Axe is a script, so the policy is put aside for it.
        page = open_page(request.getfixturevalue(site) / name, bypass_csp=True, color_scheme=scheme)
        page.locator("details").evaluate_all("all => all.forEach(element => element.open = true)")
        violations = Axe().run(page, options={"preload": False, **rules}).response["violations"]
        found[name] = [(violation["id"], [node["html"] for node in violation["nodes"][:3]]) for violation in violations]
    assert found == {name: [] for name in views}


def test_text_on_every_colour_of_the_map_can_be_read(shop, open_page):
    page = open_page(shop / "index.html")
    colours = page.locator(".legend .swatch[class*=' s']").evaluate_all(COMPUTED)
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
    badges = [Badge(text, *colours, known=True) for colours in (*COLOURS, NO_COLOUR) for text in BADGE_TEXTS]
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
    run.write(formats.HTML)
    page = open_page(run.project.root / "htmlcov" / "portal.changed.html")
    assert "is not known: git" in page.locator("main").inner_text()
    assert page.locator(".map").count() == 0
    assert (
        "was not recorded"
        in open_page(run.project.root / "htmlcov" / "portal.startup.html").locator("main").inner_text()
    )
    page = open_page(run.project.root / "htmlcov" / "index.html")
    assert rows(page, ".services")[0][-8:-6] == ["2", "1"]
    assert "when start-up ended was not recorded" in page.locator("main").inner_text()
    assert "Nothing to look at" in page.locator(".band").inner_text()
    assert page.locator(".raw a").all_inner_texts() == ["htmlcov/combined.json", *BADGES]


def test_branches_have_their_columns(tmp_path, open_page):
    run = Run(tmp_path, {"app/main.py": "import os\nif os.sep:\n    x = 1\nelse:\n    x = 2\n"})
    run.service("app", {"/app/main.py": run.source("app/main.py")})
    run.arcs("app", {"/app/main.py": (run.source("app/main.py"), [(-1, 1), (1, 2), (2, 3), (3, -1)])})
    combine(run.project)
    run.write(formats.HTML)
    page = open_page(run.project.root / "htmlcov" / "index.html")
    assert "1 of 2" in page.locator(".facts").inner_text()
    assert rows(page, ".services")[0][:7] == ["app", "67 %", "4", "3", "1", "2", "1"]
    assert tiles(page) == {"app/main.py": ("67 %", 3)}
