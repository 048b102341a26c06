"""What a command says about the Python it starts: read, never run."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

_PYTHON = re.compile(r"(python|pypy)[\d.]*t?")
_SHELL = re.compile(r"(ba|da|a|z|k)?sh")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_BETWEEN = re.compile(r"&&|\|\||[;&|\n]")
_SETS_PYTHON_PATH = re.compile(r"\bPYTHONPATH=(?P<value>[^\s;&|]*)")
# Options of the interpreter that are followed by a value of their own.
_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
# All others are letters, of which several may share a dash.
_NO_CLUSTER = ("-W", "-X", "--")


def is_python(word: str) -> bool:
    """Return whether the first word of a command is a Python interpreter, by its name."""
    return bool(_PYTHON.fullmatch(PurePosixPath(word).name))


def shown(words: Sequence[str]) -> str:
    """Return a command without its program's arguments, which may be secret; with Python's own options, but no code."""
    if not words or not is_python(words[0]):
        return words[0] if words else ""
    options, rest = _options(words[1:])
    module = rest[: 1 + (rest[:1] == ["-m"])]
    return " ".join([words[0], *options, *(["-c …"] if rest[:1] == ["-c"] else module)])


def bypass(words: Sequence[str], shebangs: Mapping[str, str]) -> str:
    """Return what in a command keeps Python from finding the spy on PYTHONPATH: "-S", "-I", "-E", "env -i", or "".

    `shebangs`: path of a script in the image -> its first line.
    """
    for command in _simple_commands(words):
        cleared, program = _program(command)
        if program and not is_python(program[0]):
            # Where a script is started by name only, the one that PATH finds is among those of this name.
            lines = (line for path, line in shebangs.items() if program[0] in (path, PurePosixPath(path).name))
            more, program = _program(next(lines, "#!").removeprefix("#!").split())
            cleared = cleared or more
        if program and is_python(program[0]):
            options, _ = _options(program[1:])
            letters = {letter for option in options if not option.startswith(_NO_CLUSTER) for letter in option}
            for letter in "SIE":
                if letter in letters:
                    return f"-{letter}"
            if cleared:
                return "env -i"
    return ""


def replaced_python_path(words: Sequence[str]) -> str:
    """Return the PYTHONPATH that a command sets without keeping what is there; "" when it does not."""
    for found in _SETS_PYTHON_PATH.finditer("\n".join(words)):
        value = found["value"].strip("\"'")
        if value and "PYTHONPATH" not in value:
            return value
    return ""


def keeps_shell(words: Sequence[str]) -> bool:
    """Return whether a shell stays PID 1: it runs several commands, the last without `exec`, so no signal gets past."""
    script = _script(words)
    parts = [part.split() for part in _BETWEEN.split(script) if part.strip()]
    return len(parts) > 1 and parts[-1][0] != "exec" and "&" not in script.rpartition("&&")[2]


def _simple_commands(words: Sequence[str]) -> Iterator[list[str]]:
    script = _script(words)
    if not script:
        yield list(words)
    for part in _BETWEEN.split(script):
        try:
            yield shlex.split(part)
        except ValueError:
            yield part.split()


def _script(words: Sequence[str]) -> str:
    """Return what is behind `sh -c`; empty for another command."""
    if words and _SHELL.fullmatch(PurePosixPath(words[0]).name):
        for option, script in pairwise(words[1:]):
            if option.startswith("-") and not option.startswith("--") and option.endswith("c"):
                return script
    return ""


def _program(words: Iterable[str]) -> tuple[bool, list[str]]:
    """Return the words from the program on, and whether `env` clears all variables; no `exec`, `env`, assignments."""
    rest, cleared, env = list(words), False, False
    while rest:
        name = PurePosixPath(rest[0]).name
        if env and rest[0] in ("-i", "-", "--ignore-environment"):
            cleared = True
        elif name == "env":
            env = True
        elif name != "exec" and not _ASSIGNMENT.fullmatch(rest[0]) and not (env and rest[0].startswith("-")):
            break
        del rest[0]
    return cleared, rest


def _options(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the interpreter's own options, and what follows: -c, -m, a script, or nothing."""
    options: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        if rest[0].startswith("-c"):
            return options, ["-c"]
        if rest[0] == "-m":
            break
        if rest[0].endswith("m") and not rest[0].startswith("--"):
            return [*options, rest[0][:-1]], ["-m", *rest[1:]]
        options.append(rest.pop(0))
        if options[-1] in _WITH_VALUE and rest:
            options[-1] += f" {rest.pop(0)}"
    return options, rest
