"""Child processes: forks get a journal of their own, and the spy's variables travel on without being seen.

The application sees the environment that production would show it. The spy's variables are taken out of `os.environ`
alone and stay in the C library's `environ`, which children inherit by default (subprocess without env=, os.system,
os.execv), whatever the application does to it. A child that is given an environment of its own gets them added there,
and takes them out of sight again when it starts.
"""

from __future__ import annotations

import os
import sys

from .environment import ENABLE, MARK, hide, without_spy

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .engine import Engine

PATH = "PYTHONPATH"

_environ = os.environ
_fspath = os.fspath
_codec = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


class Variables:
    """The spy's variables and its directory on PYTHONPATH, for children.

    The C library's environment has them at any time, whatever the application writes to it or deletes: all that changes
    it, `os.environ` too, calls os.putenv and os.unsetenv.
    """

    def __init__(self, spy: str, own: dict[str, str]) -> None:
        """own: as of `own_variables`."""
        self.spy = spy
        # A relative directory would lead somewhere else in a child with another working directory.
        self.own = {**own, MARK: os.path.abspath(own[MARK])}
        self.data: dict[Any, Any] = _environ._data  # type: ignore[attr-defined]

    def hide(self) -> None:
        """Take them out of the application's sight, and keep them in the sight of children."""
        for name, value in self.own.items():
            if _environ.get(name) != value:
                os.putenv(name, value)
        hide(self.spy)
        self._stand_in_for_putenv()
        self._stand_in_for_unsetenv()

    def _stand_in_for_putenv(self) -> None:
        putenv = os.putenv

        def putenv_with_spy(name: Any, value: Any, /) -> None:
            if name in (PATH, PATH.encode()) and isinstance(value, (str, bytes)):
                value = self._path(as_text(value))
            putenv(name, value)

        stand_in(os, "putenv", lambda: putenv_with_spy)
        tell_environ("putenv")

    def _stand_in_for_unsetenv(self) -> None:
        putenv, unsetenv = os.putenv, os.unsetenv

        def unsetenv_but_spys(name: Any, /) -> None:
            text = as_text(name) if isinstance(name, (str, bytes)) else ""
            if text == PATH:
                putenv(name, "")
            elif text in self.own:
                putenv(name, self.own[text])
            else:
                unsetenv(name)

        stand_in(os, "unsetenv", lambda: unsetenv_but_spys)
        tell_environ("unsetenv")

    def for_child(self, environment: Any) -> Any:
        """Return the environment that a child is to be given instead of this one.

        None stands for the inherited one, which has the variables. What is no mapping is left to the original function
        to refuse.
        """
        if environment is None or not hasattr(environment, "items"):
            return environment
        given = self.data if environment is _environ else environment
        merged = {as_text(name): as_text(value) for name, value in given.items()}
        if ENABLE in merged:  # who switches the spy himself, on or off, means it
            return environment
        return {**merged, **self.own, PATH: self._path(merged.get(PATH, ""))}

    def _path(self, path: str) -> str:
        path = without_spy(path, self.spy)
        return self.spy + os.pathsep + path if path else self.spy


def tell_environ(name: str) -> None:
    """Have `os.environ` call the function of os that has this name; until 3.8 it keeps those that it was made with."""
    for environ in (_environ, os.environb):
        if hasattr(environ, name):
            setattr(environ, name, getattr(os, name))


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
        return execv

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

    for name in ("kill", "killpg"):
        call_first(os, name, flush)
    signal = sys.modules.get("signal")
    for name in ("raise_signal", "pthread_kill", "pidfd_send_signal"):
        call_first(_signal, name, flush)
        if signal is not None and hasattr(signal, name):  # imported before us, by a .pth
            setattr(signal, name, getattr(_signal, name))


def stand_in_for_exit(leave: Callable[[], None]) -> None:
    """os._exit and os.abort call `leave` first."""
    for name in ("_exit", "abort"):
        call_first(os, name, leave)


def call_first(module: Any, name: str, function: Callable[[], None]) -> None:
    """Stand in for a function of a module, if it has it: call `function` before it."""
    original = getattr(module, name, None)
    if original is None:
        return

    def call_then_return() -> Any:
        function()
        return original

    stand_in(module, name, call_then_return)


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
