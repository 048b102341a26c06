"""Journals as they are read, without what others of their service have told: memory is that of what is known."""

from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ..recorded.journals import Journal, Receipt, Refusal
from ..recorded.scopes import Scope
from ..sources.repository import Digest

# What is kept of sources that no file of the repository is, in lines and branches: old ones, or what somebody made up.
MOST_STRANGE = 1 << 22
A_FILE = 16  # what a file costs, in lines
ARCS_OF_A_BYTE = 4  # no source has more
LONGEST = 1000  # characters of a receipt's texts
MOST_REFUSALS = 20
MOST_EVIDENCE = 5  # texts of a refusal
MOST_SCOPES = 200  # that processes had; of the others nothing is known


class _Ran(NamedTuple):
    """What ran of one source of one service."""

    lines: set[int]
    arcs: set[tuple[int, int]]
    early: set[int]


class Merging:
    """Takes one journal after the other; `dropped` are the sources that are too many, or say more than they can."""

    def __init__(self, known: Container[Digest]) -> None:
        """Take the digests of the repository's files."""
        self.dropped = 0
        self._known = known
        self._room = MOST_STRANGE
        self._scopes: dict[Scope, Mapping[str, object]] = {}
        self._ran: dict[tuple[Path, str, Digest | None], _Ran] = {}

    def take(self, journal: Journal) -> Journal:
        """Return the same journal: of sources that came before, what it tells is in the journal that came first."""
        files: dict[str, Digest | None] = {}
        for path, digest in journal.files.items():
            key, known = (journal.path.parent, path, digest), digest is not None and digest in self._known
            if key not in self._ran:
                if not known and self._room < A_FILE:
                    self.dropped += 1
                    continue
                self._room -= 0 if known else A_FILE
                self._ran[key] = _Ran(set(), set(), set())
                files[path] = digest
            self._add(self._ran[key], journal, path, digest if known else None)
        ran = {path: self._ran[journal.path.parent, path, digest] for path, digest in files.items()}
        return replace(
            journal,
            receipt=_shortened(journal.receipt, self._scope(journal)),
            files=files,
            lines={path: found.lines for path, found in ran.items()},
            arcs={path: found.arcs for path, found in ran.items()},
            early={path: found.early for path, found in ran.items()},
            recorded=journal.told,
        )

    def _scope(self, journal: Journal) -> Mapping[str, object]:
        """Return what the process could record: one object for all that had the same."""
        scope = Scope.of(journal.receipt.settings)
        if scope and scope not in self._scopes and len(self._scopes) < MOST_SCOPES:
            self._scopes[scope] = scope._asdict()
        return self._scopes.get(scope, {}) if scope else {}

    def _add(self, ran: _Ran, journal: Journal, path: str, known: Digest | None) -> None:
        """Keep what a journal tells of a file; `known` is its digest when the repository has it."""
        lines, arcs = journal.lines.get(path, set()), journal.arcs.get(path, set())
        before = len(ran.lines) + len(ran.arcs)
        room = ARCS_OF_A_BYTE * (known.size + 1) - len(ran.arcs) if known else self._room - len(lines)
        if len(arcs) > max(room, 0) or (not known and room < 0):
            self.dropped += 1
            return
        ran.lines.update(lines)
        ran.arcs.update(arcs)
        ran.early.update(journal.early.get(path, ()))
        self._room -= 0 if known else len(ran.lines) + len(ran.arcs) - before


def _shortened(receipt: Receipt, settings: Mapping[str, object]) -> Receipt:
    texts: Mapping[str, str] = {
        name: value[:LONGEST] for name, value in vars(receipt).items() if type(value) is str and len(value) > LONGEST
    }
    refusals = tuple(
        Refusal(refusal.code[:LONGEST], tuple(text[:LONGEST] for text in refusal.evidence[:MOST_EVIDENCE]))
        for refusal in receipt.refusals[:MOST_REFUSALS]
    )
    return replace(receipt, **texts, settings=settings, refusals=refusals)  # type: ignore[arg-type]
