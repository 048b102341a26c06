"""The reports: coverage.py's own from .coverage, the portal around its pages, and a table with a row per service."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import CoverageException

from . import badge, portal
from .coveragepy import opened_coverage
from .difference import compare
from .progress import Stage
from .project import Project, TaskError, beside, file_name, printable
from .results import Results, Totals, counts, read_results
from .runs import Run, open_run
from .tables import Row, escaped, fitting, markdown_table, text_table

# Only files that could be parsed are handed to coverage.py: the reports count the same files as the summary.


def html(project: Project, before: Run | None = None) -> None:
    """Write htmlcov/: coverage.py's pages, the portal, which says what changed since the run `before`, and the badge.

    A folder that is there is replaced, or its rows of files that are gone would stay.
    """
    difference = compare(before, open_run(project)) if before else None
    with _reporting(project) as (coverage, files), tempfile.TemporaryDirectory(prefix=".htmlcov-", dir=".") as made:
        directory = Path(made, "html")
        # coverage.py asks for all analyses first and then writes the pages.
        with Stage(f"writing {project.html.name}", len(files), count=lambda: len([*directory.glob("*.html")])):
            coverage.html_report(files, directory=str(directory))
        portal.write(project, directory, difference)
        badge.write(read_results(project), directory)
        if project.html.is_symlink():
            project.html.unlink()  # what it leads to is somebody else's
        shutil.rmtree(project.html, ignore_errors=True)
        directory.replace(project.html)


def json(project: Project) -> None:
    """Write coverage.json."""
    reports = [("", project.json)]
    with _stage(project, reports), _reporting(project) as (coverage, files), beside(project.json) as file:
        coverage.json_report(files, outfile=str(file))


def xml(project: Project) -> None:
    """Write coverage.xml, in Cobertura's format, and one for each service."""
    reports = list(_with_services(project, project.xml, ".xml"))
    with _stage(project, reports):
        for service, path in reports:
            with _reporting(project, service) as (coverage, files), beside(path) as file:
                coverage.xml_report(files, outfile=str(file))
                # coverage.py names the directory that file names are relative to: here none, and readers want a path.
                text = file.read_text("utf-8").replace("<source></source>", "<source>.</source>")
                file.write_text(text, "utf-8")


def lcov(project: Project) -> None:
    """Write lcov.info, and one for each service."""
    reports = list(_with_services(project, project.lcov, ".lcov"))
    with _stage(project, reports):
        for service, path in reports:
            with _reporting(project, service) as (coverage, files), beside(path) as file:
                coverage.lcov_report(files, outfile=str(file))


def markdown(project: Project) -> str:
    """Write coverage.md, the summary for a pull request or a job's page, and return its text."""
    results = read_results(project)
    lines = ["# What the running services executed", "", *markdown_table(_rows(results))]
    if results.findings:
        lines += ["", "## To look at", "", *(f"- {escaped(finding)}" for finding in results.findings)]
    text = "\n".join(fitting(lines)) + "\n"
    with _writing(), beside(project.markdown) as file:
        file.write_text(text, "utf-8")
    return text


def summary(project: Project) -> None:
    """Print the summary: a row per service, the total, then what somebody should look at."""
    results = read_results(project)
    print("\n".join(text_table(_rows(results))))
    for finding in results.findings:
        print(f"- {finding}")


def _rows(results: Results) -> list[Row]:
    services = results.combined.services
    processes = sum(result.processes.all for result in services.values())

    def row(name: str, totals: Totals, processes: int) -> Row:
        return {
            "service": printable(name),
            **counts(totals, results.combined.branch),
            "processes": str(processes),
            "never imported": str(totals.never_imported),
            "unknown": totals.unknowns,
        }

    rows = [row(name, results.of_service(name), result.processes.all) for name, result in services.items()]
    return [*rows, row("total", results.total(), processes)]


def _with_services(project: Project, path: Path, suffix: str) -> Iterator[tuple[str, Path]]:
    """Where a report goes: "" for the whole, and each service with its own below coverage-data/services."""
    yield "", path
    directory = project.data / "services"
    with _writing():
        directory.mkdir(exist_ok=True)
        for old in directory.glob(f"*{suffix}"):
            old.unlink()
    results = read_results(project)
    for name, result in results.combined.services.items():
        if results.files.keys() & set(result.files):
            yield name, directory / f"{file_name(name)}{suffix}"


def _stage(project: Project, reports: Sequence[tuple[str, Path]]) -> Stage:
    """The writing of one report, and of those of the services; coverage.py asks for one file after the other."""
    results = read_results(project)
    return Stage(f"writing {reports[0][1].name}", sum(len(_files(results, service)) for service, _ in reports))


@contextmanager
def _reporting(project: Project, service: str = "") -> Iterator[tuple[Coverage, list[str]]]:
    files = _files(read_results(project), service)
    if not files:
        raise TaskError("no file of the repository counts for any service: see the findings of coverage-report")
    with _writing(), opened_coverage(project, service) as coverage:
        yield coverage, files


def _files(results: Results, service: str) -> list[str]:
    """The files that count for a service, or for any."""
    own = results.combined.services[service].files if service else results.files
    return [path for path in own if path in results.files]


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except CoverageException as error:
        raise TaskError(f"coverage.py cannot report: {error}") from None
    except OSError as error:
        raise TaskError(f"cannot write {error.filename} ({error.strerror}): make it writable, or remove it") from None
