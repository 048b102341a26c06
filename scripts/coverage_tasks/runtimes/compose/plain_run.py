"""The comparison: the stack run once as production runs it, and how its containers ended beside the measured run's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...errors import TaskError
from ...progress import say
from ...project import Project
from ...recorded.proof import Ending, read_proof
from .. import stack
from ..interrupts import finishing
from ..waiting import Failure, wait
from . import engine, healthchecks, overlay, proof
from .names import stack_name
from .runtime import look_at, start_what_can_be
from .services import find_services

# A machine is never equally busy twice.
STOP_SECONDS = 1.5


@dataclass(frozen=True)
class Comparison:
    """Container -> how it ended, in the last measured run and without measuring; `differences` are sentences.

    `failures` are the services that were not ready without measuring.
    """

    measured: Mapping[str, Ending]
    plain: Mapping[str, Ending]
    differences: tuple[str, ...]
    failures: Sequence[Failure]


def compare(project: Project) -> Comparison:
    """Start the stack without the spy under a name of its own, wait until it is ready, stop and remove it.

    Compare exit codes, health, restarts and the time it took to stop with the last measured run, whose data stays.
    Raise TaskError when there is no such run, a measured stack is up, or the plain one does not get ready.
    """
    if project.runtime != "compose":
        raise TaskError("only stacks of compose can be compared: set COVERAGE_SPY_RUNTIME=compose")
    engine.require_engine()
    measured = read_proof(project).endings
    if stack.running(project):
        raise TaskError("a measured stack is up: run down-coverage first")
    plain, failures = _run_plain(project)
    return Comparison(measured, plain, tuple(differences(measured, plain)), failures)


def differences(measured: Mapping[str, Ending], plain: Mapping[str, Ending]) -> list[str]:
    """Return what is not the same in both runs, a sentence each."""
    sentences = []
    for place in sorted({*measured, *plain}):
        with_spy, without = measured.get(place), plain.get(place)
        if not with_spy or not without:
            sentences.append(f"{place} was there only {'with' if with_spy else 'without'} measuring")
            continue
        for what, one, other in (
            ("exit code", with_spy.exit_code, without.exit_code),
            ("health", with_spy.health or "none", without.health or "none"),
            ("number of restarts", with_spy.restarts, without.restarts),
        ):
            if one != other:
                sentences.append(f"the {what} of {place} is {one} with measuring and {other} without")
        took, took_plain = with_spy.stop_seconds or 0.0, without.stop_seconds or 0.0
        if abs(took - took_plain) > STOP_SECONDS:
            sentences.append(f"{place} took {took:.1f} s to stop with measuring and {took_plain:.1f} s without")
    return sentences


def _run_plain(project: Project) -> tuple[dict[str, Ending], Sequence[Failure]]:
    model = engine.read_model(project)
    name = f"{stack_name(model['name'], project.root)}-plain"
    # Of the overlay only what gives each service the base project's image, and the stack names of its own.
    services = [replace(service, measured=False, builds=True) for service in find_services(project, model)]
    file = project.state / "docker-compose.plain.yml"
    images = {service.name: service.image.name for service in services if service.image}
    file.write_text(overlay.render(project, services, images, {}, overlay.own_names_of(model, name)))
    say(f"running the services once without measuring, as {name}")

    def remove(_failed: bool) -> None:
        engine.down(name)
        engine.remove_volumes(name)
        file.unlink(missing_ok=True)

    with finishing(remove):
        engine.create(project, name, file)
        start_what_can_be(project, name, file)
        with healthchecks.checked(name):
            found = wait(lambda: look_at(name))
        health = {container.id: container.health for container in engine.containers(name)}
        signals = engine.stop(name)
        return proof.endings(engine.describe(name), signals, health), found.failures
