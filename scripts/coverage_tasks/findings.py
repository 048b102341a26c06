"""Findings: what somebody should look at. Made once, where it is known; everything that reports shows them."""

from dataclasses import dataclass

from .text import printable

# Which trouble of the field a kind of finding explains: what people search for.
NO_DATA, IMPORT, PERMISSION, INCOMPLETE, START, ALTERED = (
    "no coverage data",
    "import error",
    "permission denied",
    "incomplete coverage",
    "does not start",
    "altered by measuring",
)
KINDS = {
    "engine-version": START,
    "compose-version": START,
    "port-taken": START,
    "restart-loop": START,
    "died": START,
    "fails-anyway": START,
    "import-error": IMPORT,
    "python-path": NO_DATA,
    "no-python": NO_DATA,
    "too-old": NO_DATA,
    "left-out": NO_DATA,
    "not-measured": NO_DATA,
    "no-image": NO_DATA,
    "bypassed": NO_DATA,
    "not-run": NO_DATA,
    "not-seen": NO_DATA,
    "no-lines": NO_DATA,
    "data-directory": PERMISSION,
    "not-writable": PERMISSION,
    "copied-out": PERMISSION,
    "disk-space": PERMISSION,
    "damaged": INCOMPLETE,
    "unparsed": INCOMPLETE,
    "unborn": INCOMPLETE,
    "no-receipt": INCOMPLETE,
    "refused": INCOMPLETE,
    "claimed": INCOMPLETE,
    "forged": INCOMPLETE,
    "unread": INCOMPLETE,
    "mixed": INCOMPLETE,
    "not-mapped": INCOMPLETE,
    "drifted": INCOMPLETE,
    "shell-form": INCOMPLETE,
    "grace-period": INCOMPLETE,
    "killed": INCOMPLETE,
    "out-of-memory": INCOMPLETE,
    "end-unknown": INCOMPLETE,
    "altered": ALTERED,
    "unaltered": ALTERED,
    "in-image": ALTERED,
}
# What a report could not read. Each task that meets it says so.
DAMAGE = frozenset({"damaged", "unparsed"})


@dataclass(frozen=True)
class Finding:
    """One thing that is as it should not be, or a `note` that explains a number.

    `service` is "" when it concerns more than one, `kind` one of KINDS. `remedy` is "" when there is nothing to do.
    """

    service: str
    kind: str
    evidence: str
    remedy: str = ""
    note: bool = False

    @property
    def trouble(self) -> str:
        """What a user calls it."""
        return KINDS[self.kind]

    @property
    def sentence(self) -> str:
        """The finding for people, on one line."""
        return printable(": ".join(filter(None, (self.service, self.evidence, self.remedy))))
