"""Patterns of file names: what matches is what coverage.py says, in time that does not explode."""

import random
from fnmatch import fnmatchcase

import pytest
from coverage.exceptions import ConfigError
from coverage.files import GlobMatcher

from coverage_tasks.globs import glob_expression
from coverage_tasks.sources.dockerfile import is_copied

PIECES = (
    "a",
    "b",
    "ab",
    "*",
    "?",
    "/",
    "/",
    "**/",
    "/**",
    "[ab]",
    "[!a]",
    ".",
    "*a",
    "*b",
    "a*",
    ".py",
    "\\",
    "(",
    "+",
    "é",
)


def matches(glob, path):
    return glob_expression(glob).fullmatch(path) is not None


def test_it_is_coverage_pys_answer_for_random_patterns_and_paths():
    chance = random.Random(33)
    taken = found = 0
    for _ in range(6000):
        glob = "".join(chance.choices(PIECES, k=chance.randint(1, 9)))
        try:
            theirs = GlobMatcher([glob])
        except ConfigError:
            with pytest.raises(ValueError, match="File pattern can't include"):
                glob_expression(glob)
            continue
        taken += 1
        expression = glob_expression(glob)
        for _ in range(12):
            path = "".join(chance.choices("aab/b.c", k=chance.randint(1, 12)))
            assert bool(expression.fullmatch(path)) == theirs.match(path), (glob, path)
            found += theirs.match(path)
    assert taken > 1000 < found


@pytest.mark.parametrize(
    ("glob", "path", "whether"),
    [
        ("*a*b", "x/aab", True),
        ("a/*b*c/d", "a/bbcc/d", True),
        ("a/*b*c/d", "a/b/c/d", False),
        ("**/b/**/c/**/d.py", "b/c/b/x/c/d.py", True),
        ("**/b/**/c/**/d.py", "c/b/d.py", False),
        ("a[^b]c", "a/c", False),
        ("a[^b]c", "adc", True),
    ],
)
def test_examples(glob, path, whether):
    assert matches(glob, path) == whether


@pytest.mark.parametrize("glob", ["[z-a]", "[]", "a[", "***", "a**"])
def test_what_is_no_pattern_is_refused(glob):
    with pytest.raises(ValueError, match=r"^(File pattern|bad|unterminated|missing)"):
        glob_expression(glob)


# Whoever tries each star with each place never comes to an end here.
STARS = "*a" * 24 + "b"
NAMES = [f"{'a' * 200}{number}" for number in range(1000)]


@pytest.mark.parametrize(
    "glob", [STARS, f"x/{STARS}", f"x/{STARS}/y", "**/a/" * 24 + "b", "**/*a*a*a/" * 24 + "b", "*[ab]" * 24 + "c"]
)
def test_stars_and_directories_do_not_explode(glob):
    expression = glob_expression(glob)
    assert not any(expression.fullmatch(f"{start}{name}") for name in NAMES for start in ("", "x/"))
    assert not expression.fullmatch("a/" * 200 + "c")
    assert not expression.fullmatch("aaa/" * 200 + "c")


def test_nor_do_those_of_fnmatch():
    assert not any(fnmatchcase(name, STARS) for name in NAMES)
    assert not any(is_copied(f"x/{name}.py", f"/{name}.py", [(f"x/{STARS}.py", "*")]) for name in NAMES)
