"""One Chromium for a module of tests, and what was reported of a run for it to show."""

import pytest
from machine import find_browser
from playwright.sync_api import sync_playwright
from portal import sites


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        # Root has no sandbox to run it in.
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        yield Chromium(browser)
        browser.close()


class Chromium:
    """A page for each set of options, and what the pages did that they must not do."""

    def __init__(self, browser):
        self.browser = browser
        self.pages = {}
        self.wrong = []

    def open(self, path, color_scheme="light", **options):
        """Show a file; the options are those of a browser context of playwright's."""
        key = repr(sorted(options.items()))
        page = self.pages[key] = self.pages.get(key) or self._new_page(options)
        page.emulate_media(media="screen", color_scheme=color_scheme)
        page.goto(path.as_uri())
        return page

    def _new_page(self, options):
        page = self.browser.new_context(**options).new_page()
        page.on("request", lambda request: self._expect(request.url.startswith(("file:", "data:")), request.url))
        page.on("dialog", lambda dialog: (self._expect(False, dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self._expect(False, error))
        page.on("console", lambda message: self._expect(message.type != "error", message.text))
        return page

    def _expect(self, right, what):
        if not right:
            self.wrong.append(what)


@pytest.fixture
def open_page(chromium):
    """Opens a file in the browser; errors, dialogs and requests to anywhere but files fail the test."""
    chromium.wrong.clear()
    yield chromium.open
    assert chromium.wrong == []


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return sites.reported(sites.shop(tmp_path_factory.mktemp("shop") / "shop"))


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    return sites.reported(sites.later_shop(tmp_path_factory.mktemp("later") / "shop"), before="main")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    run = sites.hostile(tmp_path_factory.mktemp("hostile"))
    return sites.reported(run, before=str(run.project.root / sites.OLD_RUN))
