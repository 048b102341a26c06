"""Child processes: forks get a journal of their own, and the spy's variables travel on without being seen.

The application sees the environment that production would show it. The spy's variables are taken out of `os.environ`
alone and stay in the C library's `environ`, which children inherit by default (subprocess without env=, os.system,
os.execv). A child that is given an environment of its own gets them added there, and takes them out of sight again
when it starts.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .engine import Engine

_fsdecode, _fsencode = os.fsdecode, os.fsencode


class Variables:
    """The spy's variables, and PYTHONPATH with and without its directory."""

    def __init__(self, spy: str) -> None:
        self.spy = spy
        self.own = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("COVERAGE_SPY_")
            or name in ("COVERAGE_ENABLE", "COVERAGE_FILE", "COVERAGE_SOURCE", "COVERAGE_OMIT", "COVERAGE_BRANCH")
        }
        # A relative directory would lead somewhere else in a child with another working directory.
        if "COVERAGE_FILE" in self.own:
            self.own["COVERAGE_FILE"] = os.path.abspath(self.own["COVERAGE_FILE"])
        self.inherited = os.environ.get("PYTHONPATH")
        self.shown = self._without_spy(self.inherited)

    def hide(self) -> None:
        """Take them out of `os.environ`, and out of nothing else."""
        data: dict[Any, Any] = os.environ._data  # type: ignore[attr-defined]  # `del os.environ[..]` would unset them
        for name in self.own:
            data.pop(os.environ.encodekey(name), None)
        key = os.environ.encodekey("PYTHONPATH")
        if self.shown is None:
            data.pop(key, None)
        else:
            data[key] = os.environ.encodevalue(self.shown)

    def added_to(self, environment: Mapping[Any, Any]) -> dict[Any, Any]:
        """Return `environment` (names and values str or bytes) with the spy's variables.

        One that switches the spy itself, on or off, is its author's business.
        """
        merged = {_fsdecode(name): value for name, value in environment.items()}
        if "COVERAGE_ENABLE" in merged:
            return dict(environment)
        merged.update(self.own)
        path = self._without_spy(_fsdecode(merged.get("PYTHONPATH", "")))
        merged["PYTHONPATH"] = self.spy + os.pathsep + path if path else self.spy
        return merged

    def inheritance_is_broken(self) -> bool:
        """Return whether the application has set PYTHONPATH, and so overwritten the value that children inherit."""
        return os.environ.get("PYTHONPATH") != self.shown

    def _without_spy(self, path: str | None) -> str | None:
        if path is None:
            return None
        return os.pathsep.join(part for part in path.split(os.pathsep) if part.rstrip("/") != self.spy) or None


def follow(variables: Variables | None, engine: Engine | None) -> None:
    """See to it that children are measured, and that the engine has written everything before the process is replaced.

    variables: None when children need none of them. engine: None when none measures this process.
    """
    if engine is not None:
        os.register_at_fork(before=engine.flush, after_in_child=engine.forked)
        stand_in_for_exit(engine.leave)
    if variables is not None or engine is not None:
        stand_in_for_exec(variables, engine.leave if engine is not None else nothing)
    if variables is not None:
        stand_in_for_spawn(variables)


def stand_in_for_exec(variables: Variables | None, leave: Callable[[], None]) -> None:
    """os.execv and os.execve call `leave` first; a new environment gets the variables."""
    execv, execve = os.execv, os.execve

    def execv_with_spy(path: Any, argv: Any, /) -> Any:
        leave()
        if variables is not None and variables.inheritance_is_broken():
            return execve(path, argv, variables.added_to(os.environ))
        return execv(path, argv)

    def execve_with_spy(path: Any, argv: Any, env: Any) -> Any:
        leave()
        return execve(path, argv, env if variables is None else with_spy(variables, env))

    stand_in(os, "execv", execv_with_spy)
    stand_in(os, "execve", execve_with_spy)


def stand_in_for_spawn(variables: Variables) -> None:
    """subprocess and multiprocessing (through _posixsubprocess) and os.posix_spawn get the variables."""
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            stand_in(os, name, posix_spawn_with_spy(getattr(os, name), variables))
    try:
        import _posixsubprocess  # subprocess takes its function from here when it is imported
    except ImportError:
        return
    fork_exec = _posixsubprocess.fork_exec
    env_place = 5  # args, executable_list, close_fds, pass_fds, cwd, env: the same from 3.8 to 3.14

    def fork_exec_with_spy(*args: Any) -> Any:
        if len(args) > env_place:
            env = args[env_place]
            if env is not None or variables.inheritance_is_broken():
                env = environment_list(variables, env)
                args = (*args[:env_place], env, *args[env_place + 1 :])
        return fork_exec(*args)

    stand_in(_posixsubprocess, "fork_exec", fork_exec_with_spy)
    subprocess = sys.modules.get("subprocess")
    if subprocess is not None and hasattr(subprocess, "_fork_exec"):  # imported before us, by a .pth
        subprocess._fork_exec = fork_exec_with_spy  # type: ignore[attr-defined]


def posix_spawn_with_spy(original: Callable[..., int], variables: Variables) -> Callable[..., int]:
    """Return a function that stands in for os.posix_spawn or os.posix_spawnp."""

    def spawn(path: Any, argv: Any, env: Any, /, **options: Any) -> int:
        return original(path, argv, with_spy(variables, env), **options)

    return spawn


def stand_in_for_exit(leave: Callable[[], None]) -> None:
    """os._exit calls `leave` first."""
    exit_at_once = os._exit

    def exit_after_leave(status: int) -> Any:
        leave()
        exit_at_once(status)

    stand_in(os, "_exit", exit_after_leave)


def environment_list(variables: Variables, env: list[bytes] | None) -> list[bytes]:
    """Return subprocess's form of an environment, a list of b"NAME=value", with the spy's variables."""
    given: Mapping[Any, Any] = os.environ if env is None else dict(entry.split(b"=", 1) for entry in env)
    return [_fsencode(name) + b"=" + _fsencode(value) for name, value in variables.added_to(given).items()]


def with_spy(variables: Variables, env: Any) -> Any:
    """Return an environment with the spy's variables.

    None, which stands for the inherited one, stays None as long as that still has them; what is no mapping is left to
    the original to refuse.
    """
    if env is None and variables.inheritance_is_broken():
        env = os.environ
    return variables.added_to(env) if hasattr(env, "items") else env


def nothing() -> None:
    """Be called where there is no engine."""


def stand_in(module: Any, name: str, replacement: Any) -> None:
    """Put `replacement` in the place of a function; its name, documentation, signature and pickling stay.

    What os has from posix is replaced there too: that is where pickle looks for it.
    """
    original = getattr(module, name)
    replacement.__name__, replacement.__qualname__ = name, getattr(original, "__qualname__", name)
    replacement.__module__, replacement.__doc__ = original.__module__, original.__doc__
    replacement.__wrapped__ = original
    for holder in {module, sys.modules.get(original.__module__, module)}:
        setattr(holder, name, replacement)
