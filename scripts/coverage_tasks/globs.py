"""Patterns of file names as coverage.py has them, in expressions whose time does not explode with their stars.

What follows a star may be taken where it comes first, since the next star takes all that lies between: nothing that
was found is looked for once more. fnmatch, which has no directories, does that by itself.
"""

import re
import warnings

from coverage.exceptions import ConfigError
from coverage.files import GlobMatcher

# What coverage.py writes for /, for a star in a name, and for any number of directories; a class has no backslash.
_SLASH, _STAR, _DIRECTORIES = r"[/\\]", r"[^/\\]*", r"(.*[/\\])?"
_CLASS = re.compile(r"(?<!\\)\[(?![/^]*\\)[^\]]*\]")


def glob_expression(glob: str) -> re.Pattern[str]:
    """Return what matches the same paths, by `fullmatch`. Raise ValueError when coverage.py would not take the pattern.

    A class of characters holds no slash here, whatever it leaves out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about classes that look like sets
            text = GlobMatcher([glob]).re.pattern.removeprefix("(?:").removesuffix(r")\Z")
            first, *parts = text.split(_DIRECTORIES)
            found = _names(first)
            for part in parts[:-1]:
                found += rf"(?>(?:.*?{_SLASH})??{_names(part)})"
            if parts:
                found += rf"(?:.*{_SLASH})?{_names(parts[-1])}"
            return re.compile(found)
    except (ConfigError, re.error) as error:
        raise ValueError(str(error)) from None


def _names(text: str) -> str:
    """Return an expression for names with slashes between them."""
    return _SLASH.join(map(_name, text.split(_SLASH)))


def _name(text: str) -> str:
    first, *parts = (_CLASS.sub(lambda found: f"(?!{_SLASH}){found[0]}", part) for part in text.split(_STAR))
    last = [_STAR + part for part in parts[-1:]]
    return "".join((first, *(f"(?>{_STAR}?{part})" for part in parts[:-1]), *last))
