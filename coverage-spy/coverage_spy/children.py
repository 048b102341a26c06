"""Child processes: forks get a journal of their own, and the spy's variables travel on without being seen.

The application sees the environment that production would show it. The spy's variables are taken out of `os.environ`
alone and stay in the C library's `environ`, which children inherit by default (subprocess without env=, os.system,
os.execv). A child that is given an environment of its own gets them added there, and takes them out of sight again
when it starts.
"""

from __future__ import annotations

import os
import sys

# `functools` would import collections.
from _functools import partial  # type: ignore[import-not-found]

from .environment import GIVEN, VARIABLES, hide, own_variables, without_spy

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .engine import Engine

_environ = os.environ
_fspath = os.fspath
_codec = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class Variables:
    """The spy's variables, and PYTHONPATH with and without its directory."""

    def __init__(self, spy: str) -> None:
        self.spy = spy
        self.own = own_variables()
        # A relative directory would lead somewhere else in a child with another working directory.
        if "COVERAGE_FILE" in self.own:
            self.own["COVERAGE_FILE"] = os.path.abspath(self.own["COVERAGE_FILE"])
        self.data: dict[Any, Any] = _environ._data  # type: ignore[attr-defined]

    def hide(self) -> None:
        """Take them out of the application's sight."""
        hide(self.spy)
        names = [_environ.encodekey(name) for name in ("PYTHONPATH", *VARIABLES)]
        self.shown = {name: self.data.get(name) for name in names}

    def for_child(self, environment: Any) -> Any:
        """Return the environment that a child is to be given instead of this one.

        None stands for the inherited one, which has the variables unless the application has set one of that name and
        so overwritten ours. What is no mapping is left to the original function to refuse.
        """
        overwritten = any(self.data.get(name) != value for name, value in self.shown.items())
        if environment is _environ or (environment is None and overwritten):
            given = self.data
        elif environment is None or not hasattr(environment, "items"):
            return environment
        else:
            given = environment
        merged = {as_text(name): as_text(value) for name, value in given.items()}
        if "COVERAGE_ENABLE" in merged:  # who switches the spy himself, on or off, means it
            return environment
        merged.update({GIVEN + name: merged[name] for name in VARIABLES if name in merged})
        merged.update(self.own)
        path = without_spy(merged.get("PYTHONPATH", ""), self.spy)
        merged["PYTHONPATH"] = self.spy + os.pathsep + path if path else self.spy
        return merged


class NoVariables(Variables):
    """What a .pth needs: it reaches children without any variable."""

    def __init__(self) -> None:
        pass

    def hide(self) -> None:
        """Do nothing: there is nothing to hide."""

    def for_child(self, environment: Any) -> Any:
        """Return `environment`."""
        return environment


def follow(variables: Variables, engine: Engine | None) -> None:
    """See to it that children are measured, and that the engine has written everything before the process is replaced.

    engine: the one that measures this process; None when none does.
    """
    if engine is not None:
        os.register_at_fork(before=engine.flush, after_in_child=engine.forked)
        stand_in_for_exit(engine.leave)
        stand_in_for_signals(engine.flush)
    leave = engine.leave if engine is not None else nothing
    stand_in_for_exec(variables, leave)
    stand_in_for_posix_spawn(variables)
    stand_in_for_fork_exec(variables, leave)


def stand_in_for_exec(variables: Variables, leave: Callable[[], None]) -> None:
    """os.execv and os.execve call `leave` first and give the new program the variables."""
    execv, execve = os.execv, os.execve

    def leave_then_execv() -> Any:
        leave()
        environment = variables.for_child(None)
        return execv if environment is None else partial(execve, env=environment)

    def leave_then_execve() -> Any:
        leave()
        return execve_with_spy

    def execve_with_spy(path: Any, argv: Any, env: Any) -> Any:
        return execve(path, argv, variables.for_child(env))

    stand_in(os, "execv", leave_then_execv)
    stand_in(os, "execve", leave_then_execve)


def stand_in_for_posix_spawn(variables: Variables) -> None:
    """os.posix_spawn and os.posix_spawnp give the child the variables."""
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            stand_in_for_one_posix_spawn(name, variables)


def stand_in_for_one_posix_spawn(name: str, variables: Variables) -> None:
    """The one of the two that has this name gives the child the variables."""
    original = getattr(os, name)

    def spawn_with_spy(path: Any, argv: Any, env: Any, /, **options: Any) -> Any:
        return original(path, argv, variables.for_child(env), **options)

    stand_in(os, name, lambda: spawn_with_spy)


def stand_in_for_fork_exec(variables: Variables, leave: Callable[[], None]) -> None:
    """subprocess and multiprocessing give the child the variables, and a preexec_fn calls `leave` when it is done.

    After it the child becomes another program at once, and nothing else of Python runs in between.
    """
    try:
        import _posixsubprocess  # subprocess takes its function from here when it is imported
    except ImportError:
        return
    fork_exec = _posixsubprocess.fork_exec
    env_place = 5  # args, executable_list, close_fds, pass_fds, cwd, env: the same from 3.8 to 3.14

    def fork_exec_with_spy(*args: Any) -> Any:
        # The place of preexec_fn differs from version to version, and nothing else in there can be called.
        values: list[Any] = [then(value, leave) if callable(value) else value for value in args]
        if len(values) > env_place:
            values[env_place] = environment_list(variables, values[env_place])
        return fork_exec(*values)

    stand_in(_posixsubprocess, "fork_exec", lambda: fork_exec_with_spy)
    subprocess = sys.modules.get("subprocess")
    if subprocess is not None and hasattr(subprocess, "_fork_exec"):  # imported before us, by a .pth
        subprocess._fork_exec = _posixsubprocess.fork_exec  # type: ignore[attr-defined]


def environment_list(variables: Variables, given: list[bytes] | None) -> list[bytes] | None:
    """Return an environment for a child, both in subprocess's form: a list of b"NAME=value", None for the inherited."""
    mapping = None if given is None else dict(entry.split(b"=", 1) for entry in given)
    environment = variables.for_child(mapping)
    if environment is mapping:
        return given
    return [f"{name}={value}".encode(*_codec) for name, value in environment.items()]


def then(function: Callable[[], Any], leave: Callable[[], None]) -> Callable[[], Any]:
    """Return a function that calls `function` and, however that ends, `leave`."""

    def run() -> Any:
        try:
            return function()
        finally:
            leave()

    return run


def stand_in_for_signals(flush: Callable[[], None]) -> None:
    """What sends this process a signal, which may be its end, calls `flush` first.

    A well-behaved server winds up in its handler of SIGTERM and sends itself the signal again, to its default.
    """
    import _signal  # type: ignore[import-not-found]

    kill, raise_signal = os.kill, _signal.raise_signal

    def flush_then_kill() -> Any:
        flush()
        return kill

    def flush_then_raise() -> Any:
        flush()
        return raise_signal

    stand_in(os, "kill", flush_then_kill)
    stand_in(_signal, "raise_signal", flush_then_raise)
    signal = sys.modules.get("signal")
    if signal is not None:  # imported before us, by a .pth
        signal.raise_signal = _signal.raise_signal  # type: ignore[attr-defined]


def stand_in_for_exit(leave: Callable[[], None]) -> None:
    """os._exit calls `leave` first."""
    exit_at_once = os._exit

    def leave_then_exit() -> Any:
        leave()
        return exit_at_once

    stand_in(os, "_exit", leave_then_exit)


def as_text(value: Any) -> str:
    """Return a name or value of an environment as str.

    What os.fsdecode does, whose lines would show as executed where the standard library is measured.
    """
    value = _fspath(value)
    return value.decode(*_codec) if isinstance(value, bytes) else value


def nothing() -> None:
    """Be called where there is no engine."""


class StandIn:
    """A callable in the place of a builtin function, which looks, pickles and behaves in a class as that does.

    A function of Python would become a method where a class keeps it (`leave = os._exit`).
    """

    def __init__(self, original: Any, prepare: Callable[[], Callable[..., Any]]) -> None:
        """prepare: runs at the beginning of each call, without its arguments, and returns what is called with them."""
        self.__name__, self.__qualname__ = original.__name__, original.__qualname__
        self.__module__, self.__doc__ = original.__module__, original.__doc__
        self.__wrapped__ = original  # inspect.signature follows it
        self._prepare = prepare

    @property
    def __call__(self) -> Callable[..., Any]:
        """A property, so that nothing of ours is on the stack, or in a traceback, of what it returns."""
        return self._prepare()

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce__(self) -> str:
        return str(self.__qualname__)


def stand_in(module: Any, name: str, prepare: Callable[[], Callable[..., Any]]) -> None:
    """Put a StandIn in the place of a builtin function.

    What os has from posix is replaced there too: that is where pickle looks for it.
    """
    original = getattr(module, name)
    replacement = StandIn(original, prepare)
    for holder in {module, sys.modules.get(original.__module__, module)}:
        setattr(holder, name, replacement)
