"""The portal: htmlcov/index.html and the pages around coverage.py's own, which need no scripts and allow none."""

import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import quote

from coverage.files import flat_rootname

from ...combined.model import ServiceResult
from ...combined.origins import recorded_stack
from ...files import file_name
from ...progress import Stage, advance
from ...project import Project
from ...results.lines import Function, Lines, Phases, Share
from ...results.results import Results, Totals
from ...runs.difference import Difference
from ...sources.branch import Changes, find_changes
from ..formats import HTML, RECORDS, REPORTS
from .before import Before
from .rendering import STYLE, environment
from .treemap import Leaf, Treemap, Value

INDEX = "index.html"
# A file of the repository may be a script called `gaps`, whose page is gaps.html: no such name has two points.
PAGE = "portal.{}.html"
OWN_INDEX = PAGE.format("files")  # what coverage.py calls index.html
BEFORE = "before"  # the page that there is only when another run is compared with
NAVIGATION = (
    (BEFORE, "Before and after"),
    ("gaps", "Gaps"),
    ("functions", "Functions"),
    ("who", "Who runs what"),
    ("shared", "Shared folders"),
    ("unknown", "Unknown"),
    ("processes", "Processes"),
)

# What services of a runtime are.
RAN_IN = {"compose": "containers", "procfile": "processes of a Procfile"}

# Width, height, and the part of everything that is the smallest to have a rectangle of its own.
MAP = (1200.0, 600.0, 1 / 240)
SERVICE_MAP = (1200.0, 400.0, 1 / 120)
# What means something in a link, or would be lost in one.
SPECIAL = re.compile(r"[%#?:\\\x00-\x20\x7f]")


def write(results: Results, directory: Path, difference: Difference | None = None) -> None:
    """Write the portal beside coverage.py's pages in `directory`, whose index gets another name.

    With a `difference` from an older run to the present one it has a page about that.
    """
    with Stage("writing the portal", noun="page"):
        _write(results, directory, difference)


def _write(results: Results, directory: Path, difference: Difference | None) -> None:
    _make_room(directory)
    before = Before(difference, results.combined.services) if difference else None
    there = frozenset(page.name for page in directory.iterdir())
    project = results.project
    site = Site(project, results, find_changes(project.root), there, before)
    _repair_links(directory, [flat_rootname(path) + ".html" for path in results.files])
    templates = environment(results.settings.precision)
    (directory / STYLE).write_text(templates.get_template(STYLE).render(), "utf-8")
    templates.globals["site"] = site
    for page in site.pages():
        text = templates.get_template(page.template).render(page=page, **page.context)
        (directory / page.file).write_text(text, "utf-8")
        advance()


class Page(NamedTuple):
    """A page: the name of its file, what navigation calls it, its template and what only that knows."""

    file: str
    title: str
    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Service:
    """A service as the pages show it; `page` is its own."""

    name: str
    page: str
    result: ServiceResult
    totals: Totals
    phases: Phases
    only: int

    @property
    def anchor(self) -> str:
        """The place of the service in pages about all services."""
        return self.page.removesuffix(".html")

    @property
    def why_unknown(self) -> str:
        """Why it has no numbers; empty when it has."""
        return self.result.why_unknown.removeprefix("its service ")

    @property
    def complete(self) -> int:
        """The number of processes of which all is known."""
        processes = self.result.processes
        return processes.all - processes.not_measured - processes.partly_measured - processes.end_unknown


class Run(NamedTuple):
    """What one service executed of one file."""

    service: Service
    executed: int
    phases: Phases
    only: int


class File(NamedTuple):
    """A file, by whom it is run, and of which services it is a part."""

    path: str
    lines: Lines
    runs: list[Run]
    owners: list[str]
    never_imported: bool

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Site:
    """Everything the pages show; `there` are the names of coverage.py's pages, `before` is None unless asked for."""

    project: Project
    results: Results
    changes: Changes
    there: frozenset[str]
    before: Before | None = None

    def pages(self) -> Iterator[Page]:
        """Yield all pages to write."""
        yield Page(INDEX, "Overview", "index.html", {"map": self.map_of_all})
        yield Page(PAGE.format("startup"), "Start-up", "startup.html", {"map": self.map_of_startup})
        yield Page(PAGE.format("changed"), "Changed files", "changed.html", {"map": self.map_of_changes})
        for service in self.services:
            yield Page(service.page, service.name, "service.html", {"service": service, "map": self.map_of(service)})
        for name, title in self.sections:
            yield Page(PAGE.format(name), title, f"{name}.html", {})

    @property
    def navigation(self) -> Iterator[tuple[str, str]]:
        """The file and the title of each page that is not about one service or one kind of map."""
        yield INDEX, "Overview"
        yield from ((PAGE.format(name), title) for name, title in self.sections)
        yield OWN_INDEX, "Source"

    @property
    def sections(self) -> list[tuple[str, str]]:
        """The rows of NAVIGATION whose page there is."""
        return [(name, title) for name, title in NAVIGATION if name != BEFORE or self.before]

    @property
    def name(self) -> str:
        """What the repository is called: as its directory is."""
        return self.project.root.name

    @property
    def title(self) -> str:
        """What the repository calls its report; empty where its settings say nothing of it."""
        return self.results.settings.title

    @property
    def runtime(self) -> str:
        """What the services ran in, whatever is set now."""
        runtime = recorded_stack(self.project).runtime
        return RAN_IN.get(runtime, runtime)

    @cached_property
    def written(self) -> float:
        """Now."""
        return time.time()

    @cached_property
    def recorded(self) -> tuple[float, float] | None:
        """When the first and the last process that sent a receipt began."""
        started = [p.started for service in self.services for p in service.result.processes.known]
        return (min(started), max(started)) if started else None

    @cached_property
    def total(self) -> Totals:
        """The numbers of the whole repository."""
        return self.results.total()

    @cached_property
    def services(self) -> list[Service]:
        """All services, by name."""
        return [
            Service(
                name,
                f"service.{file_name(name)}.html",
                result,
                self.results.of_service(name),
                self.results.phases(name),
                self.results.only(name),
            )
            for name, result in self.results.combined.services.items()
        ]

    @property
    def silent(self) -> list[Service]:
        """The services that should have been measured and sent nothing."""
        return [service for service in self.services if service.result.silent]

    @cached_property
    def files(self) -> dict[str, File]:
        """All files, directory by directory."""
        owners, imported = self.results.combined.owners, self.results.combined.imported
        return {
            path: File(path, lines, list(self._runs(lines)), owners[path], path not in imported)
            for path, lines in sorted(self.results.files.items(), key=lambda item: item[0].rpartition("/"))
        }

    def _runs(self, lines: Lines) -> Iterator[Run]:
        for service in self.services:
            if executed := lines.by_service.get(service.name):
                name = service.name
                yield Run(service, len(executed), lines.phases(name), len(lines.only(name)))

    @cached_property
    def directories(self) -> dict[str, list[File]]:
        """The files by the directory they are in."""
        directories = defaultdict(list)
        for path, file in self.files.items():
            directories[str(PurePosixPath(path).parent)].append(file)
        return directories

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for names in (self.directories, self.files) for number, name in enumerate(names, 1)}

    def who(self, path: str) -> str:
        """Return where it is said who runs a file, or the files of a directory."""
        letter, number = "f" if path in self.files else "d", self._numbers.get(path or ".")
        return PAGE.format("who") + (f"#{letter}{number}" if number else "")

    def anchor(self, path: str) -> str:
        """Return the place on that page."""
        return self.who(path).partition("#")[2]

    def source(self, path: str, line: int = 0) -> str:
        """Return the link to coverage.py's page of a file; nothing where it wrote none."""
        if path not in self.results.files:  # perhaps a container's path, which need not be text
            return ""
        page = flat_rootname(path) + ".html"
        return quote(page) + (f"#t{line}" if line else "") if page in self.there else ""

    @cached_property
    def gaps(self) -> list[File]:
        """The files with statements that nobody executed, those with most of them first."""
        return [self.files[path] for path, _ in self.results.gaps()]

    @cached_property
    def changed_gaps(self) -> list[File]:
        """Those among them that the branch changes."""
        return [file for file in self.gaps if file.path in self.changes.files]

    @cached_property
    def never_executed(self) -> list[tuple[str, Function]]:
        """The functions of which nobody executed a statement, the longest first."""
        return self.results.never_executed()

    def gaps_of(self, service: Service) -> list[tuple[File, int, int]]:
        """Return a service's own files with the statements it did not execute, most first, and how many others did."""
        gaps = []
        for path in service.result.files:
            file = self.files.get(path)
            if file and (missed := self.results.missed_by(service.name, path)):
                gaps.append((file, len(missed), len(missed & file.lines.executed)))
        return sorted(gaps, key=lambda gap: (-gap[1], gap[0].path))

    @cached_property
    def of_directories(self) -> dict[str, dict[str, Totals]]:
        """The numbers of each service by directory."""
        return {service.name: self.results.of_directories(service.name) for service in self.services}

    @cached_property
    def shared(self) -> list[tuple[str, dict[str, Totals], Share]]:
        """The directories with files of more than one service: what each executed of its own there, what all did."""
        found = []
        for directory, files in self.directories.items():
            by_service = {
                name: totals[directory]
                for name, totals in self.of_directories.items()
                if directory in totals and totals[directory].files
            }
            if len(by_service) > 1:
                together = Share.sum(file.lines.share for file in files)
                found.append((directory, by_service, together))
        return sorted(found, key=lambda row: (-row[2].of, row[0]))

    @cached_property
    def unknown(self) -> list[tuple[Service, str, list[str]]]:
        """Files of which nothing can be said, or not of all their lines, by service and reason."""
        found = []
        for service in self.services:
            result, reasons = service.result, defaultdict(list)
            unparsed = {path: why for path, why in self.results.unparsed.items() if path in result.files}
            parts = {path: f"known in part, as of commit {c.commit[:10]}" for path, c in result.carried.items()}
            for path, reason in {**result.unknown, **result.unmapped, **unparsed, **parts}.items():
                reasons[reason].append(path)
            found += [(service, reason, sorted(paths)) for reason, paths in reasons.items()]
        return found

    @property
    def raw(self) -> list[tuple[str, str, str]]:
        """The files with the data: a link to each, its name, and what it holds."""
        project = self.project
        there = self._there(*((report.path(project), report.about) for report in REPORTS if report is not HTML))
        records = ((name, what) for name, what in RECORDS if (project.state / name).is_file())
        badges = (("badge.svg", "a badge of the total"), ("badge.json", "the same for shields.io"))
        beside = (*records, *badges)
        return [*there, *((name, f"{HTML.path(project).parent.name}/{name}", what) for name, what in beside)]

    def raw_of(self, service: Service) -> list[tuple[str, str, str]]:
        """Return the same of one service."""
        file = self.project.data / "services" / file_name(service.name)
        return self._there(
            (file.with_name(file.name + ".xml"), "Cobertura's format"),
            (file.with_name(file.name + ".lcov"), "LCOV's format"),
        )

    def _there(self, *files: tuple[Path, str]) -> list[tuple[str, str, str]]:
        here = HTML.path(self.project).parent
        return [
            (quote(Path(os.path.relpath(path, here)).as_posix()), path.relative_to(self.project.root).as_posix(), what)
            for path, what in files
            if path.is_file()
        ]

    def _map(self, files: Iterable[tuple[str, Value]], size: tuple[float, float, float] = MAP) -> Treemap:
        leaves = (Leaf(path, len(self.files[path].lines.statements), value) for path, value in files)
        return Treemap.of_files(leaves, *size)

    @property
    def map_of_all(self) -> Treemap:
        """What all services executed of each file."""
        return self._map((path, file.lines.share) for path, file in self.files.items())

    @property
    def map_of_startup(self) -> Treemap:
        """What was executed before the stack was ready."""
        files = self.files.items() if self.results.startup_is_known else ()
        return self._map((path, Share(len(file.lines.early), len(file.lines.statements))) for path, file in files)

    @property
    def map_of_changes(self) -> Treemap:
        """What all services executed of the files that the branch changes."""
        return self._map((p, f.lines.share) for p, f in self.files.items() if p in self.changes.files)

    @property
    def map_of_shifts(self) -> Treemap:
        """What is newly covered and newly lost in each file that can be compared."""
        shifts = self.before.shifts if self.before else ()
        return self._map((path, shift) for path, shift in shifts if path in self.files)

    def map_of(self, service: Service) -> Treemap:
        """Return what a service executed of its own files."""
        own = (path for path in service.result.files if path in self.files)
        return self._map(((path, self.results.share_of(service.name, path)) for path in own), SERVICE_MAP)


def _make_room(directory: Path) -> None:
    """Rename coverage.py's index, and let the tabs of its other indexes lead there."""
    if not (directory / INDEX).exists():
        return  # no file counts for any service
    (directory / INDEX).replace(directory / OWN_INDEX)
    for index in directory.glob("*_index.html"):
        text = index.read_text("utf-8")
        index.write_text(text.replace(f'href="{INDEX}">Files<', f'href="{OWN_INDEX}">Files<'), "utf-8")


def _repair_links(directory: Path, names: Iterable[str]) -> None:
    """Quote the names that mean something else in a link; coverage.py writes them as they are.

    A file at the root may be called `javascript:alert(1);.py`.
    """
    special = {
        f'href="{escape(name)}'.encode("ascii", "xmlcharrefreplace"): f'href="{quote(name)}'.encode()
        for name in names
        if SPECIAL.search(name)
    }
    for page in directory.glob("*.html") if special else ():
        text = page.read_bytes()
        for link, repaired in special.items():
            text = text.replace(link, repaired)
        page.write_bytes(text)
