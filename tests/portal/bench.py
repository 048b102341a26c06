"""Prints how long the portal of a large repository takes to write and to load, and how large it is."""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import find_browser
from playwright.sync_api import sync_playwright
from portal import sites

from coverage_tasks.combined.combine import combine
from coverage_tasks.reports import formats
from coverage_tasks.reports.portal import rendering, site
from coverage_tasks.results.results import read_results

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def timed(what: str, work: Callable[..., object], *arguments: object) -> None:
    """Print how long some work takes, by the clock and in CPU time."""
    clock, cpu = time.perf_counter(), time.process_time()
    work(*arguments)
    print(f"{what:<40}{time.perf_counter() - clock:8.2f} s {time.process_time() - cpu:8.2f} s of CPU", flush=True)


def main() -> None:
    """Make a repository with a recorded run, and report it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1800)
    parser.add_argument("--services", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run = sites.large(Path(name).resolve(), options.files, options.services)
        combine(run.project)
        timed("analysis, shared by all reports", read_results, run.project)
        timed("coverage.json, coverage.py's fastest report", run.write, formats.JSON)
        write = site.write
        site.write = lambda *arguments: timed("the portal", write, *arguments)
        timed("all of htmlcov, the portal included", run.write, formats.HTML)
        site.write = write
        measure_pages(run.project.root / "htmlcov")


def measure_pages(directory: Path) -> None:
    """Print the size of each page of the portal, and the median of five times it took to load."""
    pages = [page for page in sorted(directory.glob("*.html")) if rendering.STYLE in page.read_text()]
    size = sum(file.stat().st_size for file in (*pages, directory / rendering.STYLE))
    print(f"{len(pages)} pages and their style: {size / 1000:.0f} kB")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        shown = browser.new_page()
        for page in pages:
            times = []
            for _ in range(5):
                shown.goto(page.as_uri())
                times.append(shown.evaluate(LOADED))
            print(f"{page.name:<40}{page.stat().st_size / 1000:8.0f} kB {sorted(times)[2]:8.0f} ms")
        browser.close()


if __name__ == "__main__":
    main()
