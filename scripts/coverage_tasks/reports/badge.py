"""The badge: the total for a README, as a picture and for shields.io; where something is unknown, without a colour."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..results.results import Results
from ..text import counted, percent
from .portal.rendering import COLOURS, NO_COLOUR, environment, step

LABEL = "service coverage"
# Of Verdana, 11 pixels high; browsers stretch other fonts to it. A badge has no other characters.
WIDTHS = {
    character: width
    for width, characters in {
        3.02: "il",
        3.79: "j",
        3.87: " f",
        4: ",.",
        4.33: "t",
        4.69: "r",
        5: ":",
        5.73: "cs",
        6.51: "kv",
        6.55: "e",
        6.61: "a",
        6.68: "o",
        6.85: "gp",
        6.96: "nu",
        6.99: "0123456789",
        9: "w",
        10.7: "m",
        11.84: "%",
    }.items()
    for character in characters
}


class Badge(NamedTuple):
    """What a badge says, its colour and that of its text; without `known` its number is not the whole truth."""

    message: str
    fill: str
    ink: str
    known: bool

    @classmethod
    def of(cls, results: Results) -> "Badge":
        """Return the badge of all services together."""
        total, unknown = results.total(), ", ".join(_unknown(results))
        message = percent(*total.share, total.precision) if total.statements else "no statements"
        known = bool(total.statements) and not unknown
        fill, ink = COLOURS[step(total.share)] if known else NO_COLOUR
        return cls(f"{message}, unknown: {unknown}" if unknown else message, fill, ink, known)

    def endpoint(self) -> str:
        """Return what shields.io wants, which refuses other keys: https://shields.io/badges/endpoint-badge.

        Of an error nobody can choose the colour in the badge's address.
        """
        found = {"label": LABEL, "message": self.message, "color": self.fill, "isError": not self.known}
        return json.dumps({"schemaVersion": 1} | found, indent=1) + "\n"

    def picture(self) -> str:
        """Draw SVG that needs no other file."""
        texts = {"label": LABEL, "label_width": _width(LABEL), "message_width": _width(self.message)}
        return environment().get_template("badge.svg").render(badge=self, **texts)


def write(results: Results, directory: Path) -> None:
    """Write badge.json and badge.svg into the directory."""
    badge = Badge.of(results)
    (directory / "badge.json").write_text(badge.endpoint(), "utf-8")
    (directory / "badge.svg").write_text(badge.picture(), "utf-8")


def _unknown(results: Results) -> Iterator[str]:
    """Yield what the number should tell of and does not: services, processes of the others, journals and files."""
    services = [result for result in results.combined.services.values() if result.measured]
    processes = [result.processes for result in services if not result.why_unknown]
    for count, noun in (
        (sum(bool(result.why_unknown) for result in services), "service"),
        (sum(len(each.silent) + each.not_measured + each.partly_measured for each in processes), "process"),
        (results.combined.damaged, "journal"),
        (results.total().unknown, "file"),
    ):
        if count:
            yield counted(count, noun)


def _width(text: str) -> int:
    return math.ceil(sum(WIDTHS[character] for character in text))
