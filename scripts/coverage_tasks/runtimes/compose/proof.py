"""What measuring changed: images, file systems and the compose model are compared for proof.json."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from coverage_spy.settings import FALLBACK

from ...errors import TaskError
from ...injection.spy import GIVEN
from ...progress import say
from ...project import Project
from ...recorded.proof import Changes, Ending, Proof, write_proof
from ...recorded.sightings import Signals
from ...recorded.stack import ServiceRecord, Stack
from ...text import counted
from . import engine

LINE = "/coverage_spy.pth"
OURS = ("/coverage", "/coverage-spy", FALLBACK)

# What the overlay may say otherwise than the files before it; everything else in the rendered model is a deviation.
ALLOWED = (
    r"services/[^/]+/image",
    rf"services/[^/]+/environment/({'|'.join(sorted(GIVEN))})",
    r"services/[^/]+/volumes/(/coverage|/coverage-spy|.*/coverage_spy\.pth)",
    r"services/[^/]+/(container_name|network_mode|pid|ipc)",
    r"services/[^/]+/networks/[^/]+(/aliases)?",
    r"(networks|volumes)/[^/]+/name",
    r"volumes/coverage-spy-(data|of)-[^/]+",
)
_ALLOWED = re.compile("|".join(f"(?:{pattern})" for pattern in ALLOWED))


def prove(project: Project, stack: Stack, signals: Signals, health: Mapping[str, str]) -> None:
    """Write proof.json and say the outcome, whatever happens; `signals` and `health` are those of endings()."""
    try:
        proof = collect(project, stack, signals, health)
        write_proof(project, proof)
    except (TaskError, OSError) as error:
        say(f"there is no proof of what measuring changed: {error}")
        return
    for sentence in (*proof.notes, *(proof.deviations or [_all_is_well(proof)])):
        say(sentence)


def collect(project: Project, stack: Stack, signals: Signals, health: Mapping[str, str]) -> Proof:
    """Compare images, file systems and models of a stack whose containers have stopped and are still there."""
    name = stack.name
    descriptions = engine.describe(name)
    proof = Proof(name, endings(descriptions, signals, health))
    for description in descriptions:
        place = place_of(description)
        targets = [mount["Destination"] for mount in description["Mounts"]]
        targets += list(description["HostConfig"].get("Tmpfs") or ())
        proof.changes[place] = sort_changes(engine.docker("diff", description["Id"]).splitlines(), targets)
        proof.deviations += [f"{place} has {path}, which the spy wrote there" for path in proof.changes[place].ours]
    others, gone = _fates(stack.services)
    proof.deviations += [*_images(stack.services, descriptions), *others]
    proof.derived = any(service.derived for service in stack.services.values())
    differences = difference(engine.render(project, name, False), engine.render(project, name, True))
    proof.model = {path: (json.dumps(before), json.dumps(after)) for path, (before, after) in differences.items()}
    proof.deviations += _model(differences)
    proof.notes = [*_notes(proof.endings), *gone]
    return proof


def place_of(description: Mapping[str, Any]) -> str:
    """Return what a container is called here: `web-1`, whatever the project's name."""
    labels = description["Config"]["Labels"]
    return f"{labels['com.docker.compose.service']}-{labels.get('com.docker.compose.container-number', '1')}"


def endings(
    descriptions: Iterable[Mapping[str, Any]], signals: Signals, health: Mapping[str, str]
) -> dict[str, Ending]:
    """Return how containers ended. By id: `signals` are of compose.stop(), `health` is what it was before that."""
    found = {}
    for description in descriptions:
        state, told = description["State"], signals.get(description["Id"])
        finished = datetime.fromisoformat(state["FinishedAt"]).timestamp()
        found[place_of(description)] = Ending(
            exit_code=state["ExitCode"],
            oom_killed=state["OOMKilled"],
            restarts=description["RestartCount"],
            health=health.get(description["Id"], ""),
            stop_seconds=round(max(finished - told, 0), 2) if told else None,
        )
    return found


def sort_changes(lines: Iterable[str], targets: Sequence[str]) -> Changes:
    """Sort what `docker diff` shows: added for mounts, written by the spy, and the rest, the application's own."""
    found = Changes([], [], [])
    for line in lines:
        kind, _, path = line.partition(" ")
        # What is mounted below makes directories above it; those that were there before are marked as changed.
        if any(target == path or target.startswith(f"{path}/") for target in targets):
            if kind == "A":
                found.mount_points.append(path)
        elif path.endswith(LINE) or any(PurePosixPath(path).is_relative_to(directory) for directory in OURS):
            found.ours.append(path)
        else:
            found.own.append(line)
    return found


def difference(before: Any, after: Any, path: str = "") -> dict[str, list[Any]]:
    """Return path in a compose model -> [value before, value after], where they differ. Volumes go by their target."""
    before, after = _keyed(before), _keyed(after)
    # A mount is one thing, not its fields.
    if not isinstance(before, dict) or not isinstance(after, dict) or "target" in {**before, **after}:
        return {} if before == after else {path: [before, after]}
    found: dict[str, list[Any]] = {}
    for key in sorted({*before, *after}):
        found |= difference(before.get(key), after.get(key), f"{path}/{key}".lstrip("/"))
    return found


def _keyed(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(part, dict) and "target" in part for part in value):
        return {part["target"]: part for part in value if "published" not in part} or value
    # What is empty and what is missing mean the same here.
    return {} if value in (None, []) else value


def _model(differences: Mapping[str, Sequence[Any]]) -> list[str]:
    sentences = []
    # Compose starts a service after the one whose namespace it joins.
    follows = tuple(
        f"{path.rpartition('/')[0]}/depends_on/{after.removeprefix('service:')}/"
        for path, (_, after) in differences.items()
        if str(after).startswith("service:")
    )
    for path, (before, after) in differences.items():
        if not _ALLOWED.fullmatch(path) and not path.startswith(follows):
            sentences.append(f"the overlay changes {path} of the compose model from {before!r} to {after!r}")
        elif path.endswith("/environment/PYTHONPATH") and not _keeps(before, after):
            sentences.append(f"the overlay loses {before!r} from {path} of the compose model")
    return sentences


def _keeps(before: Any, after: Any) -> bool:
    kept = [part for part in str(before or "").split(":") if part]
    return str(after).split(":")[1 : 1 + len(kept)] == kept


def _images(services: Mapping[str, ServiceRecord], descriptions: Iterable[Mapping[str, Any]]) -> list[str]:
    sentences = []
    for description in descriptions:
        service = services.get(description["Config"]["Labels"]["com.docker.compose.service"])
        ids = engine.made_of(description)
        if service and not service.derived and not engine.is_made_of(ids, service.ids, service.content):
            sentences.append(
                f"{place_of(description)} ran {ids[-1][:19]}, and {service.image} was {service.ids[-1][:19]} "
                "when it was inspected"
            )
    return sentences


def _fates(services: Mapping[str, ServiceRecord]) -> tuple[list[str], list[str]]:
    """Return what became of the images meanwhile: a sentence for each that is another one, and each that is gone."""
    others, gone = [], []
    before = {(service.image, service.platform): service.content for service in services.values() if service.image}
    for (name, platform), content in sorted(before.items()):
        now = engine.find_image(name, platform)
        if not now:
            gone.append(f"the image {name} was removed during the run")
        elif now.content != content:
            others.append(f"the image {name} is another one than before the run: somebody built or pulled it")
    return others, gone


def _notes(found: Mapping[str, Ending]) -> list[str]:
    notes = []
    for place, ending in found.items():
        if ending.oom_killed:
            notes.append(f"{place} ran out of memory and was killed")
        if ending.restarts:
            notes.append(f"{place} ended by itself and was started again, {counted(ending.restarts, 'time')}")
    return notes


def _all_is_well(proof: Proof) -> str:
    count = len(proof.changes)
    images = "images that add only the spy to yours" if proof.derived else "the images as they are"
    systems = "their file systems" if count != 1 else "its file system"
    return (
        f"{counted(count, 'container')} ran {images}; measuring added mount points to {systems} and its own "
        "keys to the compose model, and nothing else"
    )
