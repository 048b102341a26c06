"""Photographs the portal of a small shop, in light and in dark, for the README."""

import tempfile
from pathlib import Path

from machine import ROOT, find_browser
from PIL import Image
from playwright.sync_api import sync_playwright
from portal import sites

WIDTH = 1240


def main() -> None:
    """Write docs/portal.png and docs/portal-dark.png: the overview down to the end of the map."""
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        index = sites.reported(sites.shop(Path(directory).resolve() / "shop")) / "index.html"
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for scheme, name in (("light", "portal.png"), ("dark", "portal-dark.png")):
            page = browser.new_page(viewport={"width": WIDTH, "height": 800}, color_scheme=scheme)
            page.goto(index.as_uri())
            end = page.locator(".map").bounding_box()
            area = {"x": 0, "y": 0, "width": WIDTH, "height": end["y"] + end["height"] + 40}
            file = ROOT / "docs" / name
            page.screenshot(path=file, full_page=True, clip=area)
            Image.open(file).quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
            print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
        browser.close()


if __name__ == "__main__":
    main()
