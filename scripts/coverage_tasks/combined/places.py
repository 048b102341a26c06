"""What became of the places where services run, as findings: what the engine knows of them, whatever was recorded."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from ..findings import Finding
from ..recorded.sightings import KILLED, TERMINATED, Place
from ..text import listed

COMPARE = "`coverage-doctor -- --compare` tells whether it does so without coverage too"
UNTIL_THEN = "what it executed is what it did until then"


def of_places(places: Collection[Place], may_end: Collection[str] = ()) -> Iterator[Finding]:
    """Yield what became of each place that somebody should know, those of services that `may_end` as notes."""
    failed = {place.service: _how(place) for place in places if _how(place)}
    count = Counter(place.service for place in places)
    for place in places:
        name = place.name if count[place.service] > 1 else "it"
        if not place.started:
            yield _of_one_that_never_started(name, place, failed)
            continue
        yield from _of_trouble(name, place, place.service in may_end)


def of_stops(places: Collection[Place]) -> Iterator[Finding]:
    """Yield how places answered to the stop, where that is not by themselves and in time: nothing is lost by it."""
    for place in places:
        if place.told and not place.died and not place.cut_short and not place.oom_killed:
            yield from _of_its_stop(place)


def is_idle(places: Collection[Place]) -> bool:
    """Return whether a service ran and no Python was ever seen there, but other programs were."""
    return bool(places) and all(place.programs and not place.seen for place in places)


def never_started(places: Collection[Place]) -> bool:
    """Return whether nothing of a service was ever started."""
    return bool(places) and not any(place.started for place in places)


def _how(place: Place) -> str:
    if not place.started:
        return "was never started"
    if place.loops or place.died:
        return _ended(place)
    return "was unhealthy" if place.check or place.health == "unhealthy" else ""


def _ended(place: Place) -> str:
    return f"ended with exit code {place.exit_code}" if (place.exit_code or 0) > 0 else "ended"


def _of_one_that_never_started(name: str, place: Place, failed: Mapping[str, str]) -> Finding:
    causes = [f"{other}, which {failed[other]}" for other in place.waited_for if other in failed]
    why = f": compose waited for {listed(causes)}" if causes else ""
    waited = listed([other for other in place.waited_for if other in failed]) if causes else "what kept compose from it"
    return Finding(place.service, "never-started", f"{name} was never started{why}", f"correct {waited}")


def _of_trouble(name: str, place: Place, may_end: bool) -> Iterator[Finding]:
    """Yield what went wrong with it before anybody told it to stop."""
    if place.loops:
        yield Finding(
            place.service,
            "restart-loop",
            f"{name} was started {place.restarts + 1} times{_error(place)}",
            "read its log while it is up: it dies and is started again" + _compared(place),
        )
    elif place.oom_killed or place.cut_short:
        yield _of_a_kill(name, place)
    elif place.died:
        lasted = f" {place.ended - place.started:.0f} s after its start" if place.ended else ""
        yield Finding(
            place.service,
            "import-error" if place.error else "died",
            f"{name} {_ended(place)}{_error(place)}{lasted}, before it was stopped: {UNTIL_THEN}",
            "" if may_end else "correct it, or name it under may-end in coverage-spy.yml" + _compared(place),
            note=may_end,
        )
    if place.health == "unhealthy":
        said = f": its health check said {place.check!r}" if place.check else ""
        yield Finding(
            place.service, "unhealthy", f"{name} was unhealthy{said}", "correct the health check, or the service"
        )


def _of_a_kill(name: str, place: Place) -> Finding:
    """Return who killed it; what it loses by that, if anything, "end-unknown" says."""
    if place.oom_killed or place.memory:
        # Not every kernel tells the engine what it killed for.
        why = "for want of memory" if place.oom_killed else "before its time to stop was over"
        limit = f"; its limit is {place.memory >> 20} MiB" * bool(place.memory)
        return Finding(
            place.service, "out-of-memory", f"{name} was killed {why}{limit}", "raise its memory limit", note=True
        )
    return Finding(
        place.service,
        "killed",
        f"{name} was killed before its time to stop was over",
        "look who did: `docker kill`, a test, or the engine's kernel when memory was short",
        note=True,
    )


def _of_its_stop(place: Place) -> Iterator[Finding]:
    if place.exit_code == KILLED:
        yield Finding(
            place.service,
            "grace-period",
            f"{place.name} ended by SIGKILL: its time to stop was over",
            "raise its stop_grace_period, or let it handle SIGTERM",
            note=True,
        )
    elif place.exit_code not in (None, 0, TERMINATED):
        yield Finding(
            place.service,
            "died",
            f"{place.name} ended with exit code {place.exit_code} when it was stopped",
            "nothing, unless it should end otherwise",
            note=True,
        )


def _compared(place: Place) -> str:
    return f"; {COMPARE}" if place.host and (place.error or place.loops) else ""


def _error(place: Place) -> str:
    return f" ({place.error})" if place.error else ""
