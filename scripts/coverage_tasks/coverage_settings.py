"""coverage.py's settings: the repository's own say how its code is read, and the template's where it has none.

The repository may be a branch under review. coverage.py's classes parse its file, and coverage.py itself never sees it:
it is told the options of a table. So no plugin is loaded, nothing is written where the file says, and no environment
variable gets into a report.
"""

import os
import re
import stat
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from configparser import Error as IniError
from configparser import RawConfigParser
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from coverage.config import (
    DEFAULT_EXCLUDE,
    DEFAULT_PARTIAL,
    CoverageConfig,
    HandyConfigParser,
    TConfigParser,
    config_files_to_try,
)
from coverage.exceptions import CoverageException
from coverage.files import GlobMatcher, prep_patterns
from coverage.misc import join_regex, substitute_variables
from coverage.tomlconfig import TomlConfigParser
from coverage.types import TConfigValueOut

from .errors import TaskError
from .project import TOOL
from .text import printable

TEMPLATE = TOOL / "scripts" / "coveragerc"
TITLE = "What the running services executed"
LARGEST = 1 << 18  # characters of a file

# Said to coverage.py as the file has them; those of `LISTS`, `PATTERNS` and fail_under count besides.
TAKEN = (
    "report:partial_branches_always",
    "report:precision",
    "report:skip_covered",
    "report:skip_empty",
    "html:skip_covered",
    "html:skip_empty",
    "html:title",
    "xml:package_depth",
    "json:pretty_print",
    "json:show_contexts",
    "lcov:line_checksums",
)
# Option -> the one that adds to it, which coverage.py does as it reads a file, and its default.
LISTS = {
    "report:exclude_lines": ("report:exclude_also", DEFAULT_EXCLUDE),
    "report:partial_branches": ("report:partial_also", DEFAULT_PARTIAL),
}
# What coverage.py leaves out while it records is left out here when it is combined.
PATTERNS = {"include": ("run:include", "report:include"), "omit": ("run:omit", "report:omit")}
FAIL_UNDER = "report:fail_under"
RANGES = {FAIL_UNDER: (0, 100), "report:precision": (0, 15)}

# Whatever a file says: else coverage.py finds nothing in the data, or stops at a source that it cannot parse.
ALWAYS = {"run:relative_files": True, "report:ignore_errors": True, "html:show_contexts": True}
# Ours, which somebody may miss: what it is here, and why.
OURS: Mapping[str, tuple[object, str]] = {
    "run:branch": (False, "COVERAGE_BRANCH has services record branches"),
    "run:data_file": (".coverage", "the data is in .coverage"),
    "run:dynamic_context": (None, "contexts are services"),
    "run:plugins": ([], "no plugin is loaded"),
    "run:source": ([], "the files count that services are made of"),
    "run:source_dirs": ([], "the files count that services are made of"),
    "run:source_pkgs": ([], "the files count that services are made of"),
    "report:contexts": ([], "contexts are services"),
    "html:directory": ("htmlcov", "it is htmlcov"),
    "html:extra_css": (None, "no file of the repository gets into the report"),
    "json:output": ("coverage.json", "it is coverage.json"),
    "lcov:output": ("lcov.info", "it is lcov.info"),
    "xml:output": ("coverage.xml", "it is coverage.xml"),
}
# About how coverage.py itself records, or about its table for terminals, which no task prints.
NO_MATTER = (
    *("run:_crash", "run:command_line", "run:concurrency", "run:context", "run:core", "run:cover_pylib", "run:debug"),
    *("run:debug_file", "run:disable_warnings", "run:parallel", "run:patch", "run:relative_files", "run:sigterm"),
    *("run:timid", "report:format", "report:ignore_errors", "report:include_namespace_packages"),
    *("report:show_missing", "report:sort", "html:show_contexts"),
)

_FOR_A_BROKEN_FILE = (CoverageException, IniError, ValueError, TypeError, AttributeError, RecursionError)


class Counted(Protocol):
    """What `combine` knows of a service: by repository file, and `unmapped` by container path."""

    files: list[str]
    never_imported: list[str]
    unknown: dict[str, str]
    unmapped: dict[str, str]
    carried: dict[str, Any]
    startup: dict[str, list[int]]


@dataclass(frozen=True)
class Settings:
    """What a repository's settings say, read from `file`, which is named as from its root.

    `options` are those to set on coverage.py's object, `fail_under` is 0 where nothing is demanded. `unheeded` are the
    options that the file has and that do not count, with the reason, and `strange` those that coverage.py does not
    know.
    """

    root: Path
    file: str
    options: Mapping[str, Any]
    fail_under: float
    include: tuple[GlobMatcher, ...]
    omit: tuple[GlobMatcher, ...]
    unheeded: Mapping[str, str]
    strange: tuple[str, ...]

    @property
    def precision(self) -> int:
        """How many decimals a percentage has."""
        return int(self.options["report:precision"])

    @property
    def title(self) -> str:
        """What the repository calls the report in HTML; empty where it has no name for it."""
        title = str(self.options["html:title"])
        return "" if title == TITLE else title

    def counts(self, path: str) -> bool:
        """Return whether a file of the repository counts, by `include` and `omit`."""
        if not (self.include or self.omit):
            return True
        name = os.path.realpath(self.root / path)
        return all(each.match(name) for each in self.include) and not any(each.match(name) for each in self.omit)

    def leave_out(self, result: Counted, *painted: MutableMapping[str, Any]) -> None:
        """Remove the files that do not count from what is known of a service.

        Where a container's path is all that is known of a file, `omit` takes it for the file's.
        """
        result.files = [path for path in result.files if self.counts(path)]
        result.never_imported = [path for path in result.never_imported if self.counts(path)]
        for by_path in (result.unknown, result.carried, result.startup, *painted):
            for path in [path for path in by_path if not self.counts(path)]:
                del by_path[path]
        for place in [place for place in result.unmapped if any(each.match(place) for each in self.omit)]:
            del result.unmapped[place]

    def notes(self, branch: bool) -> Iterator[str]:
        """Yield what somebody who wrote the file should know, in sentences; `branch`: branches were recorded."""
        unheeded = {option: why for option, why in self.unheeded.items() if option != "run:branch" or not branch}
        if unheeded:
            named = ", ".join(f"{_named(option)} ({why})" for option, why in unheeded.items())
            yield f"of {self.file} these do not count here: {named}"
        if self.strange:
            yield printable(f"{self.file} has {', '.join(self.strange)}, which coverage.py does not know: correct it")


def read_settings(root: Path) -> Settings:
    """Return the settings of the repository `root`, from the file that coverage.py would take there, or the template's.

    Raise TaskError, with the file and the value, when coverage.py could not take them.
    """
    for name, own, named in config_files_to_try(True):
        text = _read(root / name, None if named else root)
        if text is None and named:
            raise TaskError(f"COVERAGE_RCFILE names {name}, which does not exist: correct it or unset it")
        if text is not None and (found := _settings(root, name, text, own)):
            return found
    template = _settings(root, os.path.relpath(TEMPLATE, root), _read(TEMPLATE, None) or "", True)
    assert template  # its own file always says something
    return template


def _read(file: Path, within: Path | None) -> str | None:
    """Return the text of a file, None where there is none; one that the repository `within` chose has to lie in it."""
    try:
        real = file.resolve(strict=True)
        if within and not real.is_relative_to(within.resolve()):
            raise TaskError(f"{file} leads out of {within}: replace the link by a file")
        mode = real.lstat().st_mode
        if stat.S_ISDIR(mode):
            return None  # as for coverage.py
        if within and not stat.S_ISREG(mode):  # to open a device may set it off
            raise TaskError(f"{file} is not a file: remove it")
        with open(real, encoding="utf-8", opener=_open) as stream:
            text = str(stream.read(LARGEST + 1))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise TaskError(f"{file} is not in UTF-8 ({error}): correct it") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        reason = getattr(error, "strerror", None) or error
        raise TaskError(f"{file} cannot be read ({reason}): correct this, or remove it") from None
    if len(text) > LARGEST:
        raise TaskError(f"{file} has more than {LARGEST} characters: make it smaller")
    return text


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _settings(root: Path, name: str, text: str, own: bool) -> Settings | None:
    """Return what a file says; None when it is not coverage.py's `own` and says nothing to it."""
    try:
        with chdir(root), warnings.catch_warnings(action="ignore"):
            parser = _parser(name, text, own)
            found = dict(_values(parser))
            if not (own or found or (parser.has_section("paths") and parser.options("paths"))):
                return None
            patterns = {kind: tuple(_matchers(found, options)) for kind, options in PATTERNS.items()}
            options = _options(found)
            strange = tuple(_strange(parser))
    except _FOR_A_BROKEN_FILE as error:
        raise _refusal(name, " ".join(str(error).split())) from None
    for option, (least, most) in RANGES.items():
        if not least <= found.get(option, least) <= most:
            raise _refusal(name, f"{_named(option)} is {found[option]}, and goes from {least} to {most}")
    unheeded = {option: why for option, (here, why) in OURS.items() if found.get(option, here) != here}
    return Settings(root, name, options, found.get(FAIL_UNDER, 0.0), **patterns, unheeded=unheeded, strange=strange)


def _refusal(name: str, reason: str) -> TaskError:
    return TaskError(printable(f"{name} cannot be taken for coverage.py's settings ({reason[:300]}): correct it"))


def _named(option: str) -> str:
    section, name = option.split(":")
    return f"[{section}] {name}"


class _Ini(HandyConfigParser):
    """A file in INI's format."""

    def get(self, section: str, option: str, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
        return _without_environment(RawConfigParser.get(self, self.real_section(section) or section, option))


class _Toml(TomlConfigParser):
    """A file in TOML's format."""

    def _get(self, section: str, option: str) -> tuple[str, TConfigValueOut]:
        # Not public: everything that is read comes through here, and has variables filled in afterwards.
        name, value = super()._get(section, option)
        return name, _escaped(value)


def _without_environment(text: str) -> str:
    """Return the text as coverage.py reads it without environment variables: anybody can read what a report shows."""
    return substitute_variables(text, {})


def _escaped(value: Any) -> Any:
    """Return the same of all texts in a value, for somebody who fills in variables once more."""
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return _without_environment(value).replace("$", "$$") if isinstance(value, str) else value


def _parser(name: str, text: str, own: bool) -> TConfigParser:
    if name.endswith(".toml"):
        parser = _Toml(own)
        parser.data = tomllib.loads(text)
        return parser
    ini = _Ini(own)
    ini.read_string(text, name)
    return ini


def _values(parser: TConfigParser) -> Iterator[tuple[str, Any]]:
    """Yield every option of coverage.py's that the file has, with its value."""
    for _, where, *kind in CoverageConfig.CONFIG_FILE_OPTIONS:
        section, option = where.split(":")
        try:
            if parser.has_option(section, option):
                read: Callable[[str, str], Any] = getattr(parser, f"get{''.join(kind)}")
                yield where, read(section, option)
        except (TypeError, AttributeError):
            raise ValueError(f"[{section}] is no table of options") from None
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise ValueError(f"{_named(where)}: {error}") from None


def _matchers(found: Mapping[str, Any], options: Iterable[str]) -> Iterator[GlobMatcher]:
    """Yield what matches the paths of each of these options, as coverage.py matches them in the present directory."""
    for option in options:
        try:
            if found.get(option):
                yield GlobMatcher(prep_patterns(found[option]))
        except (CoverageException, ValueError) as error:
            raise ValueError(f"{_named(option)} has {', '.join(found[option])}: {error}") from None


def _options(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to set, each regular expression tried, alone and joined as coverage.py joins them."""
    options: dict[str, Any] = {"html:title": TITLE} | {option: found[option] for option in TAKEN if option in found}
    for option, (also, default) in LISTS.items():
        options[option] = [*found.get(option, default), *found.get(also, ())]
    for option in (*LISTS, "report:partial_branches_always"):
        try:
            re.compile(join_regex(options.get(option, ())))
        except (re.error, OverflowError) as error:  # the second of a number in it
            raise ValueError(f"{_named(option)} is no regular expression: {error}") from None
    options["html:title"] = printable(str(options["html:title"]))
    options["report:precision"] = int(options.get("report:precision", 0))  # TOML's true is a number to coverage.py
    return options | ALWAYS


def _strange(parser: TConfigParser) -> Iterator[str]:
    known = [where for _, where, *_ in CoverageConfig.CONFIG_FILE_OPTIONS]
    for section in dict.fromkeys(where.partition(":")[0] for where in known):
        if parser.has_section(section):
            yield from (_named(f"{section}:{o}") for o in parser.options(section) if f"{section}:{o}" not in known)
