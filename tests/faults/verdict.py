"""Compares a measured run with one that was not: what is lost, what is altered."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from columns import Recorded
from machine import number
from processes import Outcome, Stage
from situation import Situation

STOP_TOLERANCE = 0.3  # seconds
WHOLE_TOLERANCE = 1.0  # seconds on top of twice the time: recording may cost some, waiting for something may not
MEMORY_TOLERANCE = 5 * 1024  # kB
PORTRAIT = "portrait: "

# What differs between any two runs of one program.
NORMAL = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?( ?[+-]\d{4})?", "<time>"),
    (r"\b\d\d:\d\d:\d\d\b( \d{4})?", "<time>"),
    (r"0x[0-9a-fA-F]+", "<address>"),
    (r"\[\d+\]", "[<pid>]"),
    (r"\b(pid|PID|child|process|worker)(: ?|=| )\d+", r"\1\2<pid>"),
    (r"\b\d+(\.\d+)? ?(s|ms|secs?|seconds)\b", "<duration>"),
)


@dataclass(frozen=True)
class Verdict:
    """What was found in one measured run. Sentences; all empty: it passes."""

    lost: tuple[str, ...] = ()  # marked lines that are not recorded
    invented: tuple[str, ...] = ()  # lines recorded that did not run, data that cannot be read
    altered: tuple[str, ...] = ()  # exit code, output, answers, stop time
    seen: tuple[str, ...] = ()  # what the application sees of itself
    silent: bool = False  # out of reach, and nothing says so

    @property
    def passes(self) -> bool:
        """Whether nothing is lost and nothing altered."""
        return not (self.lost or self.invented or self.altered or self.seen or self.silent)

    @property
    def word(self) -> str:
        """One cell of the table."""
        kinds = (("lost", self.lost), ("invented", self.invented), ("altered", self.altered), ("seen", self.seen))
        return ", ".join([word for word, found in kinds if found] + ["silent"] * self.silent) or "ok"

    @property
    def sentences(self) -> tuple[str, ...]:
        """Everything that was found."""
        silent = ("nothing says that it was not measured",) if self.silent else ()
        return (*self.lost, *self.invented, *self.altered, *self.seen, *silent)


def judge(situation: Situation, stage: Stage, plain: Outcome, measured: Outcome, recorded: Recorded) -> Verdict:
    """Compare a measured run with the plain one on the same stage."""
    lines = by_file(situation, stage, recorded)
    lost = list(differences(situation.marked("# runs"), lines, "ran and is not recorded"))
    ran_anyway = {path: found & lines.get(path, set()) for path, found in situation.marked("# never").items()}
    invented = list(differences(ran_anyway, {}, "is recorded and never ran"))
    silent = False
    if situation.unknown:
        silent = bool(lost) and recorded.receipts > 0 and not recorded.refusals
        lost = []
    if situation.tracer and number(stage.version) < (3, 12):
        lost = []
    return Verdict(
        tuple(lost),
        (*invented, *recorded.damage),
        tuple(altered(plain, measured, stage, situation.waits)),
        tuple(seen(portraits(plain, stage), portraits(measured, stage), stage.version)),
        silent,
    )


def by_file(situation: Situation, stage: Stage, recorded: Recorded) -> dict[str, set[int]]:
    """Return the recorded lines by path inside the situation's directory; `places` says where else a file lies."""
    places = {str(stage.work): "", **{str(stage.work / place): inside for place, inside in situation.places.items()}}
    found: dict[str, set[int]] = {}
    for path, lines in recorded.lines.items():
        for place in sorted(places, key=len, reverse=True):
            if path.startswith(place.rstrip("/") + "/"):
                inside = f"{places[place]}{path.removeprefix(place.rstrip('/'))}".lstrip("/")
                found.setdefault(inside, set()).update(lines)
                break
    return found


def differences(wanted: dict[str, set[int]], there: dict[str, set[int]], what: str) -> list[str]:
    """Return one sentence for each line of `wanted` that is not in `there`."""
    return [f"{path}:{n} {what}" for path in wanted for n in sorted(wanted[path] - there.get(path, set()))]


def altered(plain: Outcome, measured: Outcome, stage: Stage, waits: float) -> list[str]:
    """Return what differs for those who look from outside; `waits` as in a situation."""
    found = []
    if plain.code is None:
        found.append("it hangs without being measured, too")
    if measured.code != plain.code:
        found.append("it hangs" if measured.code is None else f"exit code {measured.code} for {plain.code}")
    for name, before, after in (
        ("stdout", plain.stdout, measured.stdout),
        ("stderr", plain.stderr, measured.stderr),
        ("answers", "\n".join(plain.answers), "\n".join(measured.answers)),
    ):
        one, other = normal(before, stage).splitlines(), normal(after, stage).splitlines()
        if one != other:
            less, more = Counter(one) - Counter(other), Counter(other) - Counter(one)
            change = [f"-{line}" for line in less] + [f"+{line}" for line in more] or ["the order of lines"]
            found.append(f"{name}: {' '.join(change)[:600]}")
    if measured.code is None:
        return found
    if measured.stop > plain.stop + STOP_TOLERANCE + waits:
        found.append(f"stopped after {measured.stop:.2f} s for {plain.stop:.2f} s")
    if measured.lasted > 2 * plain.lasted + WHOLE_TOLERANCE + waits:
        found.append(f"lasted {measured.lasted:.2f} s for {plain.lasted:.2f} s")
    return found


def normal(text: str, stage: Stage) -> str:
    """Return output without portraits, and without what differs between any two runs."""
    text = "\n".join(line for line in text.splitlines() if not line.startswith(PORTRAIT))
    text = text.replace(str(stage.environment_of_python), "<environment>").replace(f":{stage.port}", ":<port>")
    for pattern, replacement in NORMAL:
        text = re.sub(pattern, replacement, text)
    return text


def portraits(outcome: Outcome, stage: Stage) -> list[dict[str, Any]]:
    """Return the portraits that the application has printed, in order."""
    text = outcome.stdout.replace(str(stage.environment_of_python), "<environment>")
    return [json.loads(line.removeprefix(PORTRAIT)) for line in text.splitlines() if line.startswith(PORTRAIT)]


def seen(plain: list[dict[str, Any]], measured: list[dict[str, Any]], version: str) -> list[str]:
    """Return what the application sees changed of itself."""
    found = []
    if len(plain) != len(measured):
        found.append(f"{len(measured)} portraits for {len(plain)}")
    for before, after in zip(plain, measured, strict=False):
        for key in before:
            one, other = before[key], after[key]
            if key == "memory":
                one, other = 0, max(other - one - MEMORY_TOLERANCE, 0)
            elif key == "environment":
                # The switch itself is coverage.py's only way to be started.
                other = [pair for pair in other if not pair[0].startswith("COVERAGE_PROCESS_")]
            elif key == "trace" and number(version) < (3, 12):
                one = other if "Tracer" in other else one  # one trace function to a thread, and coverage.py needs it
            if one != other:
                found.append(f"{key}: {difference(one, other)}")
    return list(dict.fromkeys(found))


def difference(one: Any, other: Any) -> str:
    """Say briefly how two values of a portrait differ."""
    if isinstance(one, list) and isinstance(other, list):
        change = [f"-{item}" for item in one if item not in other] + [f"+{item}" for item in other if item not in one]
        return " ".join(change)[:300] or "another order"
    return f"{other} for {one}"
