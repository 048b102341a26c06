"""What the example's services execute in its tests, and when: read off its sources, for the reports to be held to."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from coverage_tasks.project import EXAMPLE

PRICING = "libs/pricing/pricing"
IMPORTED = {
    "catalog": ("catalog/main.py", "catalog/schemas.py", "catalog/storage/inventory.py"),
    "orders": (
        *("orders/gunicorn.conf.py", "orders/main.py", "orders/checkout/basket.py", "orders/checkout/catalog.py"),
        *(f"{PRICING}/discounts.py", f"{PRICING}/money.py", f"{PRICING}/tax.py"),
    ),
    "shipping": ("shipping/worker.py", f"{PRICING}/money.py", f"{PRICING}/postage.py"),
}
# What executes no line: no service imports it, or it has none.
EMPTY = ("catalog/storage/__init__.py", "orders/checkout/__init__.py", f"{PRICING}/__init__.py")
IDLE = (*EMPTY, f"{PRICING}/legacy.py")

# Statements of functions, by the function and how they begin. What a process does on its way to its loop or socket;
STARTED = {
    "catalog": ("Inventory.__init__: ",),
    "orders": ("post_fork: ",),
    "shipping": ("main: logging", "main: log", "main: transport", "main: with", "main: while", "main: waiting"),
}
# what follows the answer of a catalog that is there already, and what the health checks of the containers ask for;
POLLED = {
    "catalog": ("reservations: ", "Inventory.in_state: "),
    "orders": (),
    "shipping": ("main: for", "main: time.sleep"),
}
HEALTH = ("health: ",)
# and what no customer of the tests asks for.
NEVER = {
    "catalog": ("deliver: ", "Inventory.restock: ", 'reservation: raise HTTPException(404, f"no order'),
    "orders": ("cancel: ", "Basket.parse: raise InvalidBasket(f", 'in_words: return "-"', "tax: return 0"),
    "shipping": ('in_words: return "-"', "postage: customs", 'postage: return Postage("air mail"'),
}


class Executed(NamedTuple):
    """The (path, line) of a service's statements, by when it first executes them."""

    definitions: set[tuple[str, int]]
    startup: set[tuple[str, int]]
    traffic: set[tuple[str, int]]


def executed(service: str, started: tuple[str, ...]) -> Executed:
    """What a service executes in all; at start-up what begins as one of `started` says."""
    found = Executed(set(), set(), set())
    for path in IMPORTED[service]:
        source = (EXAMPLE / path).read_text()
        for function, line in _statements(ast.parse(source)):
            text = f"{function}: {source.splitlines()[line - 1].strip()}"
            if function and text.startswith(NEVER[service]):
                continue
            when = found.traffic if function else found.definitions
            when = found.startup if function and text.startswith(started) else when
            when.add((path, line))
    return found


def _statements(node: ast.AST, names: tuple[str, ...] = (), function: str = "") -> Iterator[tuple[str, int]]:
    """The function that a statement is in, if it is in one, and its first line; a decorator is a statement too."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield from ((function, each.lineno) for each in (*child.decorator_list, child))
                inner = (*names, child.name)
                yield from _statements(child, inner, "" if isinstance(child, ast.ClassDef) else ".".join(inner))
            case ast.stmt() | ast.excepthandler():
                yield function, child.lineno
                yield from _statements(child, names, function)
