"""The reports that are written: a row for each. What `coverage-clean` removes and the portal links to follows from it.

Only files that could be parsed are handed to coverage.py: the reports count the same files as the summary. The table is
read without the packages that writing needs.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import TaskError
from ..files import beside, copy_file, file_name, make_ignored
from ..progress import Stage
from ..project import Project

if TYPE_CHECKING:
    from coverage import Coverage

    from ..results.results import Results
    from ..runs.store import Run


class NoFiles(TaskError):
    """There is nothing that coverage.py could report on."""


class Report(NamedTuple):
    """One report: `file` is written in the directory of reports, by `write` out of the results.

    The run that `write` also gets is an older one to compare with. With a `suffix` there is one for each service too,
    in coverage-data/services. `about` says what it is for.
    """

    file: str
    about: str
    write: Callable[["Results", "Run | None"], None]
    suffix: str = ""

    def path(self, project: Project) -> Path:
        """Return where it is written."""
        from .place import directory_of

        return directory_of(project) / self.file


def _data(results: "Results", _before: "Run | None") -> None:
    with writing(), beside(DATA.path(results.project)) as part:
        shutil.copyfile(results.project.coverage_file, part)


def _json(results: "Results", _before: "Run | None") -> None:
    for service, path, files in _outputs(results, JSON):
        with _reporting(results, files, service) as coverage, beside(path) as part:
            coverage.json_report(files, outfile=str(part))


def _xml(results: "Results", _before: "Run | None") -> None:
    for service, path, files in _outputs(results, XML):
        with _reporting(results, files, service) as coverage, beside(path) as part:
            coverage.xml_report(files, outfile=str(part))
            # coverage.py names the directory that file names are relative to: here none, and readers want a path.
            text = part.read_text("utf-8").replace("<source></source>", "<source>.</source>")
            part.write_text(text, "utf-8")


def _lcov(results: "Results", _before: "Run | None") -> None:
    for service, path, files in _outputs(results, LCOV):
        with _reporting(results, files, service) as coverage, beside(path) as part:
            coverage.lcov_report(files, outfile=str(part))


def _markdown(results: "Results", _before: "Run | None") -> None:
    from .summary import markdown

    text = markdown(results)
    with writing(), beside(MARKDOWN.path(results.project)) as part:
        part.write_text(text, "utf-8")


def _html(results: "Results", before: "Run | None") -> None:
    """Write coverage.py's pages, the portal, which says what changed since the run `before`, and the badge.

    A folder that is there is replaced, or its rows of files that are gone would stay.
    """
    from ..combined.model import LARGEST
    from ..runs.difference import compare
    from ..runs.store import present_run
    from . import badge
    from .portal import site

    difference = compare(before, present_run(results)) if before else None
    target, files = HTML.path(results.project).parent, _files(results, "")
    with writing(), tempfile.TemporaryDirectory(prefix=".htmlcov-", dir=results.project.root) as made:
        directory = Path(made, "html")
        directory.mkdir()
        if files:
            # coverage.py asks for all analyses first and then writes the pages.
            with (
                _reporting(results, files) as coverage,
                Stage(f"writing {target.name}", len(files), count=lambda: len([*directory.glob("*.html")])),
            ):
                coverage.html_report(files, directory=str(directory))
        site.write(results, directory, difference)
        badge.write(results, directory)
        for record, _ in RECORDS:
            if (file := results.project.state / record).is_file():
                copy_file(file, directory / record, LARGEST)
        if target.is_symlink():
            target.unlink()  # what it leads to is somebody else's
        shutil.rmtree(target, ignore_errors=True)
        directory.replace(target)


DATA = Report(".coverage", "coverage.py's data file, with the services as contexts", _data)
JSON = Report("coverage.json", "all lines, in coverage.py's format", _json)
XML = Report("coverage.xml", "Cobertura's format, for CI services", _xml, ".xml")
LCOV = Report("lcov.info", "LCOV's format, for editors", _lcov, ".lcov")
MARKDOWN = Report("coverage.md", "the summary, for pull requests", _markdown)
HTML = Report("htmlcov/index.html", "the portal", _html)

# What the portal has beside it of the state: file, and what it holds.
RECORDS = (
    ("combined.json", "what is known of services, processes and files"),
    ("proof.json", "what measuring changed"),
)

# The portal in the HTML links to the files that are there, so it comes last.
REPORTS = (DATA, JSON, XML, LCOV, MARKDOWN, HTML)


def _outputs(results: "Results", report: Report) -> Iterator[tuple[str, Path, list[str]]]:
    """Yield the reports to write: the service ("" for all), where, and of which files."""
    outputs = [("", report.path(results.project), _files(results, ""))]
    if report.suffix:
        directory = results.project.data / "services"
        with writing():
            make_ignored(results.project.data)
            directory.mkdir(exist_ok=True)
            for old in directory.glob(f"*{report.suffix}"):
                old.unlink()
        for name in results.combined.services:
            if files := _files(results, name):
                outputs.append((name, directory / f"{file_name(name)}{report.suffix}", files))
    # coverage.py asks for one file after the other.
    with Stage(f"writing {report.file}", sum(len(files) for _, _, files in outputs)):
        yield from outputs


def _files(results: "Results", service: str) -> list[str]:
    """Return the files that count for a service, or for any."""
    own: Iterable[str] = results.combined.services[service].files if service else results.files
    return [path for path in own if path in results.files]


@contextmanager
def _reporting(results: "Results", files: list[str], service: str = "") -> Iterator["Coverage"]:
    from ..results.coveragepy import opened_coverage

    if not files:
        raise NoFiles("no file of the repository counts for any service: see the findings of coverage-report")
    with writing(), opened_coverage(results.analysed, service) as coverage:
        yield coverage


@contextmanager
def writing() -> Iterator[None]:
    """Turn what goes wrong while a report is written into a TaskError."""
    from coverage.exceptions import CoverageException

    try:
        yield
    except CoverageException as error:
        raise TaskError(f"coverage.py cannot report: {error}") from None
    except OSError as error:
        raise TaskError(f"cannot write {error.filename} ({error.strerror}): make it writable, or remove it") from None
