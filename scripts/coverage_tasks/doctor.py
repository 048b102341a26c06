"""What keeps a service from being measured, or its numbers from being whole: verdicts with evidence and remedy."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .combined import combine
from .combined.findings import of_git
from .combined.model import Combined
from .combined.origins import recorded_stack
from .combined.places import of_places, of_stops
from .findings import Finding
from .git import refusal
from .injection.payload import needs_tracer
from .project import Project
from .recorded.journals import find_journals
from .recorded.sightings import Place, read_sightings
from .recorded.state import prepare_state
from .results.newer_python import NewerSource
from .results.results import results_of
from .runtimes import command_lines, procfile, stack
from .runtimes.compose import engine, plain_run
from .runtimes.compose.services import find_services
from .runtimes.readiness import accepts
from .settings import is_true, way_of
from .sources.images import OLDEST_PYTHON
from .sources.services import Service
from .text import counted, listed

OLDEST_ENGINE = (20, 10)
OLDEST_PODMAN = (4, 3)
OLDEST_COMPOSE = (2, 40)
FREE_BYTES = 64 << 20

REMEDIES = {
    "not-writable": "let the service's user write to its journals; until then down-coverage copies out what it wrote",
    "disk-space": "make room where journals lie: what finds no block is lost",
    "refused": "correct what it names",
    "drifted": "build the image anew, or check out what it was built from",
    "not-mapped": "commit them, or name their place under `sources` in coverage-spy.yml",
}


@dataclass(frozen=True)
class Patient:
    """What is known of one service: before the first run that is what compose and its image say.

    `definition` is its part of the compose model, empty with a Procfile, as `service` is None then. `findings` are
    those of the last run.
    """

    name: str
    definition: Mapping[str, Any]
    service: Service | None
    findings: Sequence[Finding]
    way: str
    branch: bool

    @property
    def words(self) -> list[str]:
        """Entrypoint and command in force."""
        return [*self.service.entrypoint, *self.service.command] if self.service else []

    @property
    def traced(self) -> bool:
        """Whether an interpreter of it is measured by the tracer, which is emptied ten times a second."""
        found = self.service.image.interpreters if self.service and self.service.image else ()
        return any(i.measurable and needs_tracer(i, self.branch) for i in found)


def examine(project: Project, environ: Mapping[str, str]) -> tuple[list[Finding], list[str]]:
    """Return all verdicts on a project, and the names of its services. Nothing is started, built or pulled.

    Raise TaskError when the compose file or the Procfile cannot be read.
    """
    way, branch = way_of(environ), is_true(environ.get("COVERAGE_BRANCH"))
    verdicts = list(_of_the_state(project))
    if not verdicts:
        prepare_state(project)
        stack.collect(project)
    combined = _combined(project)
    model: Mapping[str, Any] = {"services": {}}
    services: dict[str, Service] = {}
    if project.runtime == "compose":
        model = engine.read_model(project)
        services = {service.name: service for service in find_services(project, model, obtain=False)}
        names = sorted(services)
    else:
        names = [process.name for process in procfile.read_processes(project, environ)]
    seen = read_sightings(project)
    verdicts += _of_the_stack(project, model, combined)
    for name in names:
        patient = Patient(
            name,
            model["services"].get(name, {}),
            services.get(name),
            _findings(combined, name, seen),
            way,
            branch,
        )
        verdicts += (verdict for check in CHECKS for verdict in check(patient))
    return verdicts, names


def compare(project: Project) -> Iterator[Finding]:
    """Yield what a run without the spy shows, which it starts, waits for, and stops."""
    found = plain_run.compare(project)
    for failure in found.failures:
        yield Finding(
            failure.service, "fails-anyway", f"without measuring it {failure.how}, too", "correct the service"
        )
    for difference in found.differences:
        yield Finding(
            "",
            "altered",
            difference,
            f"run --compare again; when it stays, please report it with {project.state / 'proof.json'}",
        )
    if not found.differences:
        containers = counted(len(found.plain), "container")
        evidence = f"{containers} ended as without measuring: exit codes, health, restarts, time to stop"
        yield Finding("", "unaltered", evidence, "nothing", True)


def _combined(project: Project) -> Combined | None:
    stack_then = recorded_stack(project)
    if not find_journals(project.journals) and not (stack_then.ended and stack_then.services):
        return None
    return combine.combine(project)


def _findings(combined: Combined | None, name: str, seen: Sequence[Place]) -> list[Finding]:
    """Return what was found out about a service, but not that it is not measured: its image tells why."""
    if not combined:
        return [fate for fate in (*of_places(seen), *of_stops(seen)) if fate.service == name]
    found = (*combined.findings, *of_stops(seen))
    return [finding for finding in found if finding.service == name and finding.kind != "not-measured"]


def _of_the_stack(project: Project, model: Mapping[str, Any], combined: Combined | None) -> Iterator[Finding]:
    if project.runtime == "compose":
        yield from _of_the_versions()
        if not stack.running(project):
            yield from _of_the_ports(model)
    if combined is None:
        yield from of_git(refusal(project.root))
        yield Finding(
            "", "not-run", "nothing has been recorded", "run the task coverage, then ask again for what it shows", True
        )
        return
    yield from (finding for finding in combined.findings if not finding.service)
    with suppress(NewerSource):  # reports read them with another Python, which is here
        yield from results_of(project, combined).cannot_parse()


def _of_the_state(project: Project) -> Iterator[Finding]:
    # Before the first run of all there is not even the directory that holds the states of all checkouts.
    directory = next(place for place in (project.state, *project.state.parents) if place.is_dir())
    if not os.access(directory, os.W_OK | os.X_OK):
        yield Finding("", "data-directory", f"{directory} is not writable for you", "make it writable, or remove it")
    for place in filter(Path.is_dir, project.journals.glob("*")):
        if place.stat().st_mode & 0o1777 != 0o1777:
            mode = oct(place.stat().st_mode & 0o7777)
            yield Finding(
                "", "data-directory", f"{place} has mode {mode}, so a service of another user may not write to it",
                "run up-coverage, which opens it, or `chmod 1777` it",
            )  # fmt: skip
    free = shutil.disk_usage(directory).free
    if free < FREE_BYTES:
        yield Finding(
            "", "disk-space", f"{free >> 20} MiB are free in {directory}", "make room: what finds no block is lost"
        )


def _of_the_versions() -> Iterator[Finding]:
    what, oldest_engine = ("podman", OLDEST_PODMAN) if engine.is_podman() else ("the engine", OLDEST_ENGINE)
    for name, program, version, oldest in (
        ("engine-version", what, engine.engine_version(), oldest_engine),
        ("compose-version", "Compose", engine.compose_version(), OLDEST_COMPOSE),
    ):
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < oldest:
            yield Finding(
                "", name, f"{program} has version {version}",
                f"update it to {'.'.join(map(str, oldest))} or newer",
            )  # fmt: skip


def _of_the_ports(model: Mapping[str, Any]) -> Iterator[Finding]:
    for name, definition in sorted(model["services"].items()):
        for port in definition.get("ports") or ():
            published = str(port.get("published") or "")
            if published.isdigit() and port.get("protocol", "tcp") == "tcp" and accepts(int(published)):
                yield Finding(
                    name, "port-taken", f"something listens on port {published}, which {name} publishes",
                    "stop it: perhaps it is the stack without coverage",
                )  # fmt: skip


def _image(patient: Patient) -> Iterator[Finding]:
    service = patient.service
    if not service or service.measured:
        return
    if not engine.runs_image(patient.definition):
        yield Finding(patient.name, "not-measured", service.reason, "nothing: it runs as without measuring", True)
    elif not service.image:
        yield Finding(
            patient.name, "no-image", "its image is neither built nor pulled", "run up-coverage, or build it", True
        )
    elif not service.image.interpreters:
        yield Finding(
            patient.name, "no-python", "its image has no CPython", "nothing, unless it should run Python", True
        )
    elif not any(interpreter.measurable for interpreter in service.image.interpreters):
        remedy = f"move it to Python {OLDEST_PYTHON} or newer; older is not measured"
        yield Finding(patient.name, "too-old", service.reason, remedy)
    else:
        yield Finding(patient.name, "left-out", service.reason, "nothing, unless it should be measured", True)


def _build(patient: Patient) -> Iterator[Finding]:
    written = patient.service.image.written if patient.service and patient.service.image else ()
    if written:
        lines = sorted({path.rpartition("/")[2] for path in written})
        yield Finding(
            patient.name, "in-image", f"its image holds {listed([*written])}, which measuring left in the repository",
            f"add {listed(lines)} to .dockerignore, and build it anew", True,
        )  # fmt: skip


def _command(patient: Patient) -> Iterator[Finding]:
    if not patient.service or not patient.service.measured or not patient.service.image:
        return
    bypassed = command_lines.bypass(patient.words, patient.service.image.shebangs)
    if bypassed == "-S":
        yield Finding(
            patient.name, "bypassed", "its command, or the first line of its script, gives Python -S",
            "drop -S: without the site module no spy can be loaded",
        )  # fmt: skip
    elif bypassed and patient.way != "pth":
        yield Finding(
            patient.name, "bypassed", f"its command, or the first line of its script, has {bypassed}",
            "set COVERAGE_SPY_INJECT=pth, which reaches it too",
        )  # fmt: skip
    replaced = command_lines.replaced_python_path(patient.words)
    if replaced and patient.way != "pth":
        yield Finding(
            patient.name, "python-path", f"its command sets PYTHONPATH to {replaced} and drops what was there",
            f"write PYTHONPATH={replaced}:$PYTHONPATH, or set COVERAGE_SPY_INJECT=pth",
        )  # fmt: skip
    if command_lines.keeps_shell(patient.words):
        yield Finding(
            patient.name, "shell-form", "its command leaves a shell as PID 1, which passes no SIGTERM on to Python",
            "put `exec` before the last command" + ", or the last 0.1 s of it are lost" * patient.traced,
            not patient.traced,
        )  # fmt: skip


def _combined_findings(patient: Patient) -> Iterator[Finding]:
    """Yield what the run shows of it, with what can be done about a refusal."""
    for finding in patient.findings:
        yield replace(finding, remedy=finding.remedy or REMEDIES.get(finding.kind, ""))


CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (_image, _build, _command, _combined_findings)
