"""What keeps a service from being measured, or its numbers from being whole: verdicts with evidence and remedy."""

import errno
import json
import os
import re
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import combine, commands, comparison, compose, procfile, stack
from .census import KILLED, Place, read_census
from .combine import REMEDY, Combined, Result, described, some
from .journals import find_journals
from .overlay import is_true, way_of
from .payload import needs_tracer
from .project import Project, counted, printable
from .services import Service, find_services
from .stack import ServiceDied

OLDEST_ENGINE = (20, 10)
OLDEST_PODMAN = (4, 3)
OLDEST_COMPOSE = (2, 40)
FREE_BYTES = 64 << 20
RESTARTS = 3
TERMINATED = 128 + 15

# Which trouble of the field a verdict explains: what people search for.
NO_DATA, IMPORT, PERMISSION, INCOMPLETE, START, ALTERED = (
    "no coverage data", "import error", "permission denied", "incomplete coverage", "does not start",
    "altered by measuring",
)  # fmt: skip
TROUBLES = {
    "engine-version": START,
    "compose-version": START,
    "port-taken": START,
    "restart-loop": START,
    "died": START,
    "import-error": IMPORT,
    "python-path": NO_DATA,
    "no-python": NO_DATA,
    "too-old": NO_DATA,
    "left-out": NO_DATA,
    "no-image": NO_DATA,
    "bypassed": NO_DATA,
    "not-run": NO_DATA,
    "not-seen": NO_DATA,
    "no-lines": NO_DATA,
    "data-directory": PERMISSION,
    "not-writable": PERMISSION,
    "disk-space": PERMISSION,
    "no-receipt": INCOMPLETE,
    "refused": INCOMPLETE,
    "not-mapped": INCOMPLETE,
    "altered": ALTERED,
    "unaltered": ALTERED,
    "fails-anyway": START,
    "drifted": INCOMPLETE,
    "damaged": INCOMPLETE,
    "shell-form": INCOMPLETE,
    "grace-period": INCOMPLETE,
    "killed": INCOMPLETE,
    "out-of-memory": INCOMPLETE,
    "end-unknown": INCOMPLETE,
}
REFUSAL_REMEDIES = {
    "not-writable": "let the service's user write to coverage-data; until then down-coverage copies out what it wrote",
    "disk-space": "make room where coverage-data lies: what finds no block is lost",
    "refused": "correct what it names",
}


@dataclass(frozen=True)
class Verdict:
    """One thing that is as it should not be, or a note that explains a number.

    `service` is "" when it concerns all of the stack, `name` one of TROUBLES.
    """

    service: str
    name: str
    evidence: str
    remedy: str
    note: bool = False

    @property
    def trouble(self) -> str:
        """What a user calls it."""
        return TROUBLES[self.name]


@dataclass(frozen=True)
class Patient:
    """What is known of one service: before the first run that is what compose and its image say.

    `definition` is its part of the compose model, empty with a Procfile, as `service` is None then.
    """

    name: str
    definition: Mapping[str, Any]
    service: Service | None
    result: Result | None
    places: Sequence[Place]
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


def diagnose(project: Project, args: Namespace) -> int:
    """Print the verdicts, as text or JSON (`args.json`). Returns 1 when there is one that is no note."""
    verdicts, names = examine(project, os.environ)
    if args.compare:
        verdicts += _compared(project)
    problems = [verdict for verdict in verdicts if not verdict.note]
    if args.json:
        found = [asdict(verdict) | {"trouble": verdict.trouble} for verdict in verdicts]
        print(json.dumps({"version": 1, "services": names, "verdicts": found}, indent=1))
        return int(bool(problems))
    for name in ("", *names):
        own = [verdict for verdict in verdicts if verdict.service == name]
        if own or name:
            print(printable(name) or "the stack", *_lines(own), sep="\n  ")
    return int(bool(problems))


def _lines(verdicts: Iterable[Verdict]) -> list[str]:
    lines = []
    for verdict in verdicts:
        kind = "note" if verdict.note else verdict.trouble
        lines += [f"{kind}: {printable(verdict.evidence)} [{verdict.name}]", f"  {printable(verdict.remedy)}"]
    return lines or ["nothing is wrong"]


def examine(project: Project, environ: Mapping[str, str]) -> tuple[list[Verdict], list[str]]:
    """All verdicts on a project, and the names of its services. Nothing is started, built or pulled.

    Raises TaskError when the compose file or the Procfile cannot be read.
    """
    way, branch = way_of(environ), is_true(environ.get("COVERAGE_BRANCH"))
    verdicts = list(_of_the_data_directory(project))
    if not verdicts:
        stack.prepare_data(project)
        stack.collect(project)
    combined = _combined(project)
    model: Mapping[str, Any] = {"services": {}}
    services: dict[str, Service] = {}
    if project.runtime == "compose":
        model = compose.read_model(project)
        services = {service.name: service for service in find_services(project, model, obtain=False)}
        names = sorted(services)
    else:
        names = [process.name for process in procfile.read_processes(project, environ)]
    census = read_census(project)
    verdicts += _of_the_stack(project, model, combined)
    for name in names:
        patient = Patient(
            name,
            model["services"].get(name, {}),
            services.get(name),
            combined.services.get(name) if combined else None,
            [place for place in census if place.service == name],
            way,
            branch,
        )
        verdicts += (verdict for check in CHECKS for verdict in check(patient))
    return verdicts, names


def _compared(project: Project) -> Iterator[Verdict]:
    """What a run without the spy shows, which it starts, waits for, and stops."""
    try:
        found = comparison.compare(project)
    except ServiceDied as error:
        yield Verdict("", "fails-anyway", f"without measuring, too: {error}", "correct the service first")
        return
    for difference in found.differences:
        yield Verdict(
            "",
            "altered",
            difference,
            "run --compare again; when it stays, please report it with coverage-data/proof.json",
        )
    if not found.differences:
        containers = counted(len(found.plain), "container")
        evidence = f"{containers} ended as without measuring: exit codes, health, restarts, time to stop"
        yield Verdict("", "unaltered", evidence, "nothing", True)


def _combined(project: Project) -> Combined | None:
    if not find_journals(project.journals):
        return None
    return combine.combine(project)


def _of_the_stack(project: Project, model: Mapping[str, Any], combined: Combined | None) -> Iterator[Verdict]:
    if project.runtime == "compose":
        yield from _of_the_versions()
        if not stack.running(project):
            yield from _of_the_ports(model)
    if combined is None:
        yield Verdict(
            "", "not-run", "nothing has been recorded", "run the task coverage, then ask again for what it shows", True
        )
        return
    for sentence in combined.damage:
        evidence, _, remedy = sentence.rpartition(": ")
        yield Verdict("", "damaged", evidence, remedy)


def _of_the_data_directory(project: Project) -> Iterator[Verdict]:
    directory = project.data if project.data.is_dir() else project.root
    if not os.access(directory, os.W_OK | os.X_OK):
        yield Verdict("", "data-directory", f"{directory} is not writable for you", "make it writable, or remove it")
    for place in filter(Path.is_dir, project.journals.glob("*")):
        if place.stat().st_mode & 0o1777 != 0o1777:
            mode = oct(place.stat().st_mode & 0o7777)
            yield Verdict(
                "", "data-directory", f"{place} has mode {mode}, so a service of another user may not write to it",
                "run up-coverage, which opens it, or `chmod 1777` it",
            )  # fmt: skip
    free = shutil.disk_usage(directory).free
    if free < FREE_BYTES:
        yield Verdict(
            "", "disk-space", f"{free >> 20} MiB are free in {directory}", "make room: what finds no block is lost"
        )


def _of_the_versions() -> Iterator[Verdict]:
    engine, oldest_engine = ("podman", OLDEST_PODMAN) if compose.is_podman() else ("the engine", OLDEST_ENGINE)
    for name, what, version, oldest in (
        ("engine-version", engine, compose.engine_version(), oldest_engine),
        ("compose-version", "Compose", compose.compose_version(), OLDEST_COMPOSE),
    ):
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < oldest:
            yield Verdict(
                "", name, f"{what} has version {version}",
                f"update it to {'.'.join(map(str, oldest))} or newer",
            )  # fmt: skip


def _of_the_ports(model: Mapping[str, Any]) -> Iterator[Verdict]:
    for name, definition in sorted(model["services"].items()):
        for port in definition.get("ports") or ():
            published = str(port.get("published") or "")
            if published.isdigit() and port.get("protocol", "tcp") == "tcp" and procfile.accepts(int(published)):
                yield Verdict(
                    name, "port-taken", f"something listens on port {published}, which {name} publishes",
                    "stop it: perhaps it is the stack without coverage",
                )  # fmt: skip


def _image(patient: Patient) -> Iterator[Verdict]:
    service = patient.service
    if not service or service.measured:
        return
    if not service.image:
        yield Verdict(
            patient.name, "no-image", "its image is neither built nor pulled", "run up-coverage, or build it", True
        )
    elif not service.image.interpreters:
        yield Verdict(
            patient.name, "no-python", "its image has no CPython", "nothing, unless it should run Python", True
        )
    elif not any(interpreter.measurable for interpreter in service.image.interpreters):
        yield Verdict(patient.name, "too-old", service.reason, "move it to Python 3.8 or newer; older is not measured")
    else:
        yield Verdict(patient.name, "left-out", service.reason, "nothing, unless it should be measured", True)


def _command(patient: Patient) -> Iterator[Verdict]:
    if not patient.service or not patient.service.measured or not patient.service.image:
        return
    bypassed = commands.bypass(patient.words, patient.service.image.shebangs)
    if bypassed == "-S":
        yield Verdict(
            patient.name, "bypassed", "its command, or the first line of its script, gives Python -S",
            "drop -S: without the site module no spy can be loaded",
        )  # fmt: skip
    elif bypassed and patient.way != "pth":
        yield Verdict(
            patient.name, "bypassed", f"its command, or the first line of its script, has {bypassed}",
            "set COVERAGE_SPY_INJECT=pth, which reaches it too",
        )  # fmt: skip
    replaced = commands.replaced_python_path(patient.words)
    if replaced and patient.way != "pth":
        yield Verdict(
            patient.name, "python-path", f"its command sets PYTHONPATH to {replaced} and drops what was there",
            f"write PYTHONPATH={replaced}:$PYTHONPATH, or set COVERAGE_SPY_INJECT=pth",
        )  # fmt: skip
    if commands.keeps_shell(patient.words):
        yield Verdict(
            patient.name, "shell-form", "its command leaves a shell as PID 1, which passes no SIGTERM on to Python",
            "put `exec` before the last command" + ", or the last 0.1 s of it are lost" * patient.traced,
            not patient.traced,
        )  # fmt: skip


def _ends(patient: Patient) -> Iterator[Verdict]:
    for place in patient.places:
        if place.restarts >= RESTARTS:
            yield Verdict(
                patient.name, "restart-loop", f"{place.name} was started {place.restarts + 1} times",
                f"read `docker logs {place.name}` while it is up: it dies and is started again",
            )  # fmt: skip
        if place.error:
            yield Verdict(
                patient.name, "import-error", f"{place.name} ended with {place.error}",
                "run `coverage-doctor -- --compare`, which tells whether it does so without coverage too",
            )  # fmt: skip
        elif place.oom_killed or (place.cut_short and place.memory):
            # Not every kernel tells the engine what it killed for.
            why = "for want of memory" if place.oom_killed else "before its time to stop was over"
            limit = f"; its limit is {place.memory >> 20} MiB" * bool(place.memory)
            yield Verdict(
                patient.name, "out-of-memory", f"{place.name} was killed {why}{limit}",
                "nothing for coverage, which has what ran before; raise the service's memory limit", True,
            )  # fmt: skip
        elif place.cut_short:
            yield Verdict(
                patient.name, "killed", f"{place.name} was killed before its time to stop was over",
                "look who did: `docker kill`, a test, or the engine's kernel when memory was short"
                + ", and mind that 0.1 s are lost" * patient.traced,
                not patient.traced,
            )  # fmt: skip
        elif place.exit_code == KILLED:
            yield Verdict(
                patient.name, "grace-period", f"{place.name} ended by SIGKILL: its time to stop was over",
                "raise its stop_grace_period, or let it handle SIGTERM" + ", or 0.1 s are lost" * patient.traced,
                not patient.traced,
            )  # fmt: skip
        elif place.exit_code not in (None, 0, TERMINATED):
            yield Verdict(
                patient.name, "died", f"{place.name} ended with exit code {place.exit_code}",
                "run `coverage-doctor -- --compare`, which tells whether it does so without coverage too", True,
            )  # fmt: skip


def _receipts(patient: Patient) -> Iterator[Verdict]:
    result = patient.result
    if not result or not result.measured:
        return
    processes = result.processes
    name = "no-receipt" if processes.all else "not-seen"
    for silent in processes.silent:
        yield Verdict(patient.name, name, f"{described(silent)} sent no receipt", REMEDY)
    if result.silent and not processes.silent:
        yield Verdict(patient.name, name, "it sent nothing, and nobody saw it run", "look into its log, and " + REMEDY)
    if processes.ran_nothing_measured:
        yield Verdict(
            patient.name, "no-lines", f"none of its {processes.without_lines} processes ran code that is measured",
            "look where its code lies in the container, and set COVERAGE_SOURCE to that",
        )  # fmt: skip
    for refusal, count in processes.refusals.items():
        where = "not-writable" if refusal.startswith("cannot write in") else "refused"
        name = "disk-space" if refusal.endswith(os.strerror(errno.ENOSPC)) else where
        yield Verdict(patient.name, name, f"{refusal} ({count} of {processes.all} processes)", REFUSAL_REMEDIES[name])
    if processes.end_unknown:
        yield Verdict(
            patient.name, "end-unknown", f"{processes.end_unknown} of {processes.all} processes had not taken leave",
            "nothing, unless lines of their last 0.1 s are missing: Python 3.12 leaves no such gap", True,
        )  # fmt: skip


def _sources(patient: Patient) -> Iterator[Verdict]:
    result = patient.result
    if not result or result.why_unknown:
        return
    for name, reasons, remedy in (
        ("drifted", result.unknown, "build the image anew, or check out what it was built from"),
        ("not-mapped", result.unmapped, "commit them, or name their place under `sources` in coverage-spy.yml"),
    ):
        if reasons:
            path, reason = next(iter(reasons.items()))
            yield Verdict(patient.name, name, f"{some(list(reasons))} unknown; {path}: {reason}", remedy)
    for path, carried in list(result.carried.items())[:1]:
        yield Verdict(
            patient.name, "drifted",
            f"{some(list(result.carried))} known in part; {path}: it is as of commit {carried.commit[:10]}",
            "build the image anew",
        )  # fmt: skip


CHECKS: tuple[Callable[[Patient], Iterator[Verdict]], ...] = (_image, _command, _ends, _receipts, _sources)
