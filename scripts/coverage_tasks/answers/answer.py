"""An answer: the same facts as JSON for machines and as lines for people."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a task found. `data` makes the JSON document; `lines` makes lines of text, or with True of Markdown."""

    data: Callable[[], Mapping[str, Any]]
    lines: Callable[[bool], Iterable[str]]

    def text(self, as_json: bool, as_markdown: bool = False) -> str:
        """Return the answer in the form that was asked for."""
        return json.dumps(self.data(), indent=1) if as_json else "\n".join(self.lines(as_markdown))
