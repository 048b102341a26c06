"""The reports: coverage.py's own from .coverage, and a table with a row per service."""

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import CoverageException, NoDataError

from .analysis import (
    Results,
    Totals,
    escaped,
    markdown_table,
    open_coverage,
    percent,
    read_results,
    text_table,
)
from .combine import printable
from .project import Project, TaskError

HEADINGS = ("service", "files", "statements", "executed", "missed", "cover", "processes", "never imported", "unknown")


def html(project: Project) -> None:
    """Write htmlcov/; a folder that is there is replaced, or its rows of files that are gone would stay."""
    with _reporting(project) as coverage, tempfile.TemporaryDirectory(prefix=".htmlcov-", dir=project.root) as beside:
        directory = Path(beside, "html")
        coverage.html_report(directory=str(directory))
        shutil.rmtree(project.html, ignore_errors=True)
        directory.replace(project.html)


def json(project: Project) -> None:
    """Write coverage.json."""
    with _reporting(project) as coverage, _beside(project.json) as file:
        coverage.json_report(outfile=str(file))


def xml(project: Project) -> None:
    """Write coverage.xml, in Cobertura's format."""
    with _reporting(project) as coverage, _beside(project.xml) as file:
        coverage.xml_report(outfile=str(file))
        # coverage.py names the directory that file names are relative to, which is nothing here; readers want a path.
        file.write_text(file.read_text("utf-8").replace("<source></source>", "<source>.</source>"), "utf-8")


def lcov(project: Project) -> None:
    """Write lcov.info."""
    with _reporting(project) as coverage, _beside(project.lcov) as file:
        coverage.lcov_report(outfile=str(file))


def markdown(project: Project) -> str:
    """Write coverage.md, the summary for a pull request or a job's page, and return its text."""
    results = read_results(project)
    rows = [[escaped(cell) for cell in row] for row in _rows(results)]
    lines = ["# What the running services executed", "", *markdown_table(HEADINGS, rows)]
    if results.findings:
        lines += ["", "## To look at", "", *(f"- {escaped(finding)}" for finding in results.findings)]
    text = "\n".join(lines) + "\n"
    with _writing(), _beside(project.markdown) as file:
        file.write_text(text, "utf-8")
    return text


def summary(project: Project) -> None:
    """Print the summary: a row per service, the total, then what somebody should look at."""
    results = read_results(project)
    print("\n".join(text_table(HEADINGS, _rows(results))))
    for finding in results.findings:
        print(f"- {finding}")


def _rows(results: Results) -> list[list[str]]:
    services = results.combined.services
    rows = [_row(name, results.of_service(name), result.processes.all) for name, result in services.items()]
    return [*rows, _row("total", results.total(), sum(result.processes.all for result in services.values()))]


def _row(name: str, totals: Totals, processes: int) -> list[str]:
    numbers = (totals.files, totals.statements, totals.executed, totals.missed)
    cover = percent(totals.executed, totals.statements)
    return [printable(name), *map(str, numbers), cover, *map(str, (processes, totals.never_imported, totals.unknown))]


@contextmanager
def _reporting(project: Project) -> Iterator[Coverage]:
    with chdir(project.root), warnings.catch_warnings(record=True) as caught, _writing():
        warnings.simplefilter("always")
        coverage = open_coverage(project)
        try:
            yield coverage
        finally:
            coverage.get_data().close()
    for warning in caught:
        _warn(printable(str(warning.message).partition(" (couldnt-parse)")[0]))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except NoDataError:
        raise TaskError(
            "no file of the repository counts for any service: see the findings of coverage-combine"
        ) from None
    except CoverageException as error:
        raise TaskError(f"coverage.py cannot report: {error}") from None
    except OSError as error:
        raise TaskError(f"cannot write {error.filename} ({error.strerror})") from None


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    beside = path.with_name(f".{path.name}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@cache
def _warn(text: str) -> None:
    """Once, not once per report."""
    logging.getLogger("coverage-spy").warning("%s: its numbers are unknown", text)
