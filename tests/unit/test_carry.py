"""Which statements of an old source are those of a new one."""

import ast
import random
import textwrap
from pathlib import Path

import pytest

from coverage_tasks.combined.painting import Old, Ran
from coverage_tasks.sources.history import Version
from coverage_tasks.sources.statements import same_statements

OLD = """\
import os
LIMIT = 10
def get(x,
        y=1):
    if x:
        return (x,
                y)
    elif y:
        return 2
    try:
        risky()
    except ValueError:
        return 3
    else:
        log()
    return None
class Shop:
    @property
    def name(self):
        return 1
    @name.setter
    def name(self, value):
        self.value = value
"""


def changed(old: str, new: str) -> list[str]:
    """The lines of OLD that find no place when `old` in it is replaced by `new`."""
    assert old in OLD
    lines = same_statements(OLD.encode(), OLD.replace(old, new, 1).encode())
    return [line.strip() for number, line in enumerate(OLD.splitlines(), 1) if number not in lines]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = 10\n", "LIMIT = 10\nMORE = 1\n", []),
        ("LIMIT = 10", "LIMIT = 11", ["LIMIT = 10"]),
        ("LIMIT = 10\n", "", ["LIMIT = 10"]),
        ("    return None", "    # nothing\n    return None", []),
        ("        y=1", "        y=2", ["def get(x,", "y=1):"]),
        ("                y)", "                z)", ["return (x,", "y)"]),
        ("    if x:", "    if not x:", ["if x:", "return (x,", "y)", "elif y:", "return 2"]),
        ("    elif y:", "    elif not y:", ["elif y:", "return 2"]),
        ("    except ValueError:", "    except KeyError:", ["except ValueError:", "return 3"]),
        ("        log()", "        log(1)", ["log()"]),
        ("@property", "@cached", ["@property", "def name(self):"]),
        ("class Shop:", "class Store:", ["class Shop:", *(line.strip() for line in OLD.splitlines()[17:])]),
        ("    return None", "    pass\n    return None", []),
        ("    return None", "    if y:\n        return None", ["return None"]),
        ("        log()\n    return None", "        log()\n        return None", ["return None"]),
    ],
)
def test_only_what_is_the_same_statement_in_the_same_place_is_carried(old, new, expected):
    skipped = ["else:"]  # a line, and no statement
    assert [line for line in changed(old, new) if line not in skipped] == expected


def test_a_line_goes_to_its_line():
    assert same_statements(b"a = 1\nb = 2\n", b"x = 0\n\na = 1\nb = 2\n") == {1: 3, 2: 4}


def test_equal_lines_of_another_function_are_others():
    old = b"def a():\n    return 1\n"
    assert same_statements(old, old.replace(b"a()", b"b()")) == {}
    both = b"def b():\n    return 1\ndef a():\n    return 1\n"
    assert same_statements(old, both) == {1: 3, 2: 4}


def test_a_second_definition_of_a_name_is_another_one():
    old = b"if X:\n    def f():\n        a()\nelse:\n    def f():\n        b()\n"
    assert same_statements(old, old.replace(b"b()", b"c()")) == {1: 1, 2: 2, 3: 3, 5: 5}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a = 1\n", b"a = = 1\n"),
        (b"a = = 1\n", b"a = 1\n"),
        (b"a = 1\0\n", b"a = 1\n"),
        (b"# coding: nowhere\na = 1\n", b"a = 1\n"),
        (b"a = '\xff'\n", b"a = 1\n"),
        (b"", b"a = 1\n"),
    ],
)
def test_nothing_is_carried_from_or_to_what_cannot_be_parsed(old, new):
    assert same_statements(old, new) == {}


def test_encodings_and_line_ends_are_those_of_python():
    assert same_statements(b"# coding: latin-1\na = '\xe9'\r\nb = 1\n", b"# coding: latin-1\na = '\xe9'\nb = 1") == {
        2: 2,
        3: 3,
    }
    assert same_statements(b"a = '''\x0c\n'''\nb = 1\n", b"b = 0\na = '''\x0c\n'''\nb = 1\n") == {1: 2, 2: 3, 3: 4}


def test_of_a_source_that_did_not_change_every_statement_is_carried():
    source = ast.unparse(ast.parse(textwrap.dedent(OLD)))
    lines = same_statements(source.encode(), source.encode())
    assert all(old == new for old, new in lines.items())
    assert {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)} <= lines.keys()


def test_whatever_changes_lines_land_on_equal_lines():
    source = Path(ast.__file__).read_text(encoding="utf-8").splitlines()
    rng = random.Random(7)
    carried = 0
    for _ in range(10):
        other = list(source)
        for _ in range(rng.randint(1, 30)):
            at = rng.randrange(len(other))
            other[at : at + 1] = rng.choice([["# a comment", other[at]], [other[at].replace("self", "this")]])
        old, new = ("\n".join(lines).encode() for lines in (source, other))
        lines = same_statements(old, new)
        assert all(source[line - 1] == other[there - 1] for line, there in lines.items())
        carried += bool(lines)
    assert carried > 5


def test_what_ran_is_told_in_todays_lines_and_what_is_gone_is_counted():
    old = Old(Version("c" * 40, "b" * 40, "a.py", "a.py"))
    old.add({1: 2, 4: 5}, Ran({1, 3}, {(-1, 1), (1, 4), (4, 9), (9, -1), (4, -9)}, {1, 3, 4}))
    assert old.ran == Ran({2}, {(-2, 2), (2, 5), (5, 5)}, {2, 5})
    carried = old.carried()
    assert (carried.lines, carried.lost, carried.known) == (2, 2, [2, 5])
