"""Templates, colours and numbers of the portal's pages."""

import time
from itertools import accumulate
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ...results.lines import Share
from ...text import counted, percent, printable, rounded_percent
from ..processes import process_rows
from .before import Shift

# Rows of a ranking; what is below is in coverage.py's own indexes.
SHOWN_GAPS, SHOWN_FUNCTIONS, SHOWN_ON_TOP = 150, 200, 8
SHOWN_NAMES = 100
TEMPLATES = Path(__file__).with_name("templates")
STYLE = "portal.css"
CHARACTER = 6.7  # width of one on a map, in its units

# Where the second and further steps of colour between nothing and everything begin, in percent.
STEPS = (25, 50, 75, 90)
# The fill of each step and the colour of text on it: of cividis, from nothing executed to everything; and of no step.
COLOURS = (
    ("#00204d", "#ffffff"),
    ("#2b4369", "#ffffff"),
    ("#575c6d", "#ffffff"),
    ("#8f8b78", "#10151c"),
    ("#b9ad70", "#10151c"),
    ("#dac868", "#10151c"),
    ("#f5e070", "#10151c"),
)
NO_COLOUR = ("#d7dbe0", "#10151c")


def environment(precision: int = 0) -> Environment:
    """Return what renders the templates: it escapes what names are made of, and shares get `precision` decimals."""

    def shown(value: Any) -> Any:
        if isinstance(value, Share):
            return percent(*value, precision)
        # Names are anybody's: nothing reaches a page that would turn or hide what stands beside it.
        return printable(value) if type(value) is str and not value.isprintable() else value

    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=shown,
    )
    made.filters |= {
        "number": "{:,}".format,
        "clock": lambda seconds: time.strftime("%H:%M:%S", time.localtime(seconds)),
        "day": lambda seconds: time.strftime("%Y-%m-%d", time.localtime(seconds)),
        "step": step,
        "colour": colour,
        "counted": counted,
        "fitted": fitted,
        "process_rows": process_rows,
    }
    made.globals |= {
        "SHOWN_GAPS": SHOWN_GAPS,
        "SHOWN_FUNCTIONS": SHOWN_FUNCTIONS,
        "SHOWN_NAMES": SHOWN_NAMES,
        "SHOWN_ON_TOP": SHOWN_ON_TOP,
        "STEPS": STEPS,
        "COLOURS": COLOURS,
    }
    return made


def step(share: Share) -> int:
    """Return the step of colour of a share as it is shown: 0 is nothing, the last is everything, no other is."""
    shown = rounded_percent(*share) if share.of else 0
    return bool(shown) + sum(shown >= end for end in (*STEPS, 100))


def colour(value: Share | Shift) -> str:
    """Return the class of a rectangle's colour: the step of a share, or what happened."""
    return f"s{step(value)}" if isinstance(value, Share) else value.kind


def fitted(path: str, width: float) -> str:
    """Return as much of a path as fits the width on a map, in its units: all, the name, its beginning, or nothing."""
    room = int(width / CHARACTER)
    name = path[path.rstrip("/").rfind("/") + 1 :]
    for text in (printable(path), printable(name)):
        widths = [1 + (east_asian_width(character) in "WF") for character in text]
        if sum(widths) <= room:
            return text
    kept = sum(end < room for end in accumulate(widths))
    return f"{text[:kept]}…" if kept > 2 else ""
