"""What is known of the statements of one file: which of them each service executed, and when first."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ..text import percent


class Share(NamedTuple):
    """How many were executed of how many: statements and branches together, as coverage.py counts."""

    executed: int
    of: int

    def __str__(self) -> str:
        """Return it in percent, see `percent`."""
        return percent(*self)

    @classmethod
    def sum(cls, shares: Iterable["Share"]) -> "Share":
        """Add them all up."""
        found = list(shares)
        return cls(sum(share.executed for share in found), sum(share.of for share in found))

    @property
    def exactly(self) -> str:
        """In percent with two decimals, never rounded up."""
        return f"{self.executed * 10000 // self.of / 100:.2f} %" if self.of else "-"

    @property
    def missed(self) -> int:
        """How many were not executed."""
        return self.of - self.executed


@dataclass(frozen=True)
class Lines:
    """The statements of one file, by the numbers of their first lines, as coverage.py analyses them.

    `startup` are those of `by_service` that ran before the stack was ready; whether traffic executed them again is not
    known. `unknown` are further statements, of which no service can say anything. `branches` are how many it has and
    `taken` how many were taken, 0 where only lines were recorded.
    """

    statements: frozenset[int]
    executed: frozenset[int]
    by_service: Mapping[str, frozenset[int]]
    branches: int
    taken: int
    taken_by_service: Mapping[str, int]
    functions: tuple["Function", ...] = ()
    startup: Mapping[str, frozenset[int]] = field(default_factory=dict)
    unknown: frozenset[int] = frozenset()

    @property
    def all(self) -> frozenset[int]:
        """The statements, those that nobody can say anything about among them."""
        return self.statements | self.unknown

    @property
    def missed(self) -> frozenset[int]:
        """The statements that no service executed."""
        return self.statements - self.executed

    @property
    def share(self) -> Share:
        """What all services executed."""
        return Share(len(self.executed) + self.taken, len(self.statements) + self.branches)

    @property
    def early(self) -> frozenset[int]:
        """The statements that some service executed before the stack was ready."""
        return self.executed.intersection(frozenset().union(*self.startup.values()))

    @cached_property
    def bodies(self) -> frozenset[int]:
        """The statements inside functions; the others are definitions, which importing the file executes."""
        return frozenset().union(*(function.statements for function in self.functions))

    def phases(self, service: str) -> "Phases":
        """Return when a service first executed the statements that it did."""
        executed = self.by_service.get(service, frozenset())
        early = executed & self.startup.get(service, frozenset()) & self.bodies
        return Phases(len(executed - self.bodies), len(early), len((executed & self.bodies) - early))

    def only(self, service: str) -> frozenset[int]:
        """Return the statements that this service executed and no other."""
        others = (lines for name, lines in self.by_service.items() if name != service)
        return self.by_service.get(service, frozenset()).difference(*others)


class Phases(NamedTuple):
    """Numbers of executed statements: outside of functions; in functions, before the stack was ready and after."""

    definitions: int
    startup: int
    traffic: int


class Function(NamedTuple):
    """A function or method of a file: its qualified name, the line it begins in, and its body.

    That is the `statements` by their first lines, and all `lines` of it.
    """

    name: str
    start: int
    statements: frozenset[int]
    lines: frozenset[int]
