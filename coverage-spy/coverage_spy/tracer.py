"""The engine for CPython 3.8 to 3.11, and for branches: coverage.py's C tracer, emptied into the journal every 0.1 s.

The tracer is the one file of coverage.py that is needed, loaded out of the payload under a name of our own: the
application may have another coverage. It depends on nothing else of the package. Its interface is the one that
coverage/collector.py of 7.5 to 7.17 uses.
"""

from __future__ import annotations

import _imp
import _thread
import atexit
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec

from . import greenlets, rivals, uwsgi
from .children import StandIn, stand_in
from .engine import Unavailable
from .flusher import Flusher, hide_thread, is_main_interpreter
from .journal import Full
from .receipt import raise_foreign
from .refusals import THREAD, TRACER, described

TYPE_CHECKING = False  # type checkers take it for true; to import typing costs every start 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from .journal import Journal
    from .scope import Scope

PAYLOAD = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "payload")
STARTS = ("start_new_thread", "start_joinable_thread")  # of _thread; the second since 3.13
CACHED = 10_000  # file names the tracer may remember
CAUGHT_RECURSION_ABORTS = sys.version_info < (3, 9, 2)  # when the stack gets 50 calls deeper then (bpo-42500)

_getpid = os.getpid  # bound now: an application may replace or patch functions of os


class Tracer:
    """coverage.py's C tracer on every thread of this process, and what moves the lines that it finds to the journal."""

    name = "tracer"

    def __init__(self, scope: Scope, branch: bool) -> None:
        """Load the tracer. Raises Unavailable when the payload holds none for this interpreter."""
        self.module = load()
        self.scope = scope
        self.branch = branch
        self.data: dict[str, set[int]] = {}
        self.dispositions: dict[str, Any] = {}
        self.untraced = self._disposition("", None)
        self.undecided = False  # whether `untraced` stands for a file that is to be looked at again
        self.greenlets = False  # whether the application has imported greenlet
        self.relative: dict[str, str] = {}  # relative name -> the file that had it first
        self.shift = self._packing() if branch else 0
        self.main_interpreter = is_main_interpreter()
        self.thread: Any = _thread._local()
        self.settrace, self.gettrace = sys.settrace, sys.gettrace
        self.rival = False  # whether the application has set a trace function of its own, on any thread
        self._begin_process()

    def _begin_process(self) -> None:
        """Set what holds for one process."""
        self.pid = _getpid()
        self.flushing = _thread.allocate_lock()
        self.flushing_thread = 0
        self.rival_told = False  # whether the journal says so
        self.flusher = Flusher(self.flush, self.main_interpreter)

    def start(self, journal: Journal) -> None:
        """Trace this thread and all that begin from here on, and flush from the first measured file on.

        Raises Unavailable in a sub-interpreter that may start no thread.
        """
        self.journal = journal
        if not self.main_interpreter:
            try:
                self.flusher.begin()
            except RuntimeError as error:
                raise Unavailable(THREAD, described(error)) from None
        atexit.register(self.finish)
        hide_thread(lambda: self.flusher.thread)
        self._follow_threads()
        rivals.stand_in_for_gettrace(self._is_ours)
        rivals.stand_in_for_settrace(self._is_ours, self._notice_rival, self._come_back)
        self.main = self.install()

    def install(self) -> Installed:
        """Trace the calling thread."""
        installed = self.thread.installed = Installed(self._new_tracer())
        installed.tracer.start()
        if self.greenlets:
            self._follow_greenlets()
        return installed

    def _follow_greenlets(self) -> None:
        self.thread.restarted = greenlets.follow(self._new_tracer, self.gettrace)
        self.greenlets = self.thread.restarted is not None

    def _notice_rival(self) -> None:
        self.rival = True

    def _come_back(self) -> None:
        """Trace the calling thread again, where a trace function of the application's was cleared."""
        installed = getattr(self.thread, "installed", None)
        if installed is None:  # C code has started the thread
            return
        tracer = self._new_tracer()
        rivals.start_amid(tracer, self._decide_amid, self.settrace)
        installed.stop()
        installed.tracer = tracer
        if getattr(self.thread, "restarted", None):
            self.thread.restarted(tracer)

    def _decide_amid(self, filename: str, frame: FrameType) -> Any:
        if self.branch and sys.version_info >= rivals.SAYS_RESUME:
            return self.untraced
        try:
            return self._should_trace(filename, frame)
        except RecursionError:
            return self.untraced

    def flush(self, _woken: bool = False) -> None:
        """Move what the tracers hold to the journal.

        Exactly what was read is removed: to empty a live set would lose what another thread put in meanwhile.
        """
        self._look_for_fork()
        thread = _thread.get_ident()
        # A signal handler may have come in between on this very thread; another one is waited for, within reason.
        if self.flushing_thread == thread or not self.flushing.acquire(timeout=1.0):
            return
        self.flushing_thread = thread
        try:
            self._tell_rival()
            for name, live in self.data.copy().items():
                found = live.copy()
                try:
                    for item in found:
                        self._record(name, item)
                except Full:
                    return  # still in `live`: the next flush tries again
                live.difference_update(found)
            if not self.rival or self.rival_told:
                self.journal.settle()
            followed = self.greenlets or "greenlet" not in sys.modules
            if self.undecided or not followed or len(self.dispositions) > CACHED:
                self.undecided = False
                self.dispositions.clear()  # the next call of a function asks again, in its own thread
        finally:
            self.flushing_thread = 0
            self.flushing.release()

    def leave(self) -> None:
        """Flush and say so in the journal; called before an exec, which may fail, and before os._exit."""
        if hasattr(self.thread, "installed") and not self._is_ours(self.gettrace()):
            self.rival = True  # set in C, past sys.settrace
        self.journal.retry()
        self.flush()
        try:
            self.journal.end()
        except Full:
            pass  # without its END the process counts as one whose end is unknown, which is the truth

    def finish(self) -> None:
        """Flush for the last time, as the last atexit function.

        Nothing of ours may run on in an interpreter that is taken down: until 3.11 a thread that wakes up then reads
        freed memory.
        """
        self.flush()
        self.flusher.end()
        self.leave()

    def forked(self) -> None:
        """Begin anew in a child of os.fork: its parent has flushed what it inherited."""
        for live in self.data.copy().values():
            live.difference_update(live.copy())
        self._begin_anew()

    def _look_for_fork(self) -> None:
        """Begin anew in a child that was forked in C, where `forked` is not called.

        What it inherited it writes too: its parent may have no flusher, and some of it may be the child's own.
        """
        if self.pid != _getpid():
            self._begin_anew()

    def _begin_worker(self) -> None:
        self._look_for_fork()
        if self.data:
            self._begin_flushing()

    def _begin_thread(self) -> None:
        """Trace the calling thread, which C code has started; to its end, when what belongs to it goes."""
        if not hasattr(self.thread, "installed"):
            self.thread.owner = Traced(nothing, self.install)
            self.thread.owner.trace()

    def _begin_anew(self) -> None:
        self._begin_process()
        try:
            self.journal.forked()
        except Full:
            pass  # tried again with the first line
        if self.data:
            self._begin_flushing()

    def _follow_threads(self) -> None:
        """Stand in for the functions that start threads; for `threading`'s names of them too if it is there already."""
        for name in STARTS:
            if hasattr(_thread, name):
                self._stand_in_for_start(_thread, name)
                threading = sys.modules.get("threading")  # imported before us by a .pth
                if threading is not None:
                    setattr(threading, "_" + name, getattr(_thread, name))
        _thread.start_new = _thread.start_new_thread
        self._follow_copies()

    def _follow_copies(self) -> None:
        """Stand in for them in every further copy of `_thread` too: eventlet imports one to have the original."""
        exec_builtin = _imp.exec_builtin

        def exec_then_follow(module: Any, /) -> Any:
            result = exec_builtin(module)
            if getattr(module, "__name__", "") == "_thread":
                for name in STARTS:
                    if hasattr(module, name):
                        self._stand_in_for_start(module, name)
            return result

        stand_in(_imp, "exec_builtin", lambda: exec_then_follow)

    def _stand_in_for_start(self, module: Any, name: str) -> None:
        start, install = getattr(module, name), self.install
        if isinstance(start, StandIn):
            return

        def start_traced(function: Any, *args: Any, **kwargs: Any) -> Any:
            # What can't be called is refused by the original.
            return start(Traced(function, install) if callable(function) else function, *args, **kwargs)

        stand_in(module, name, lambda: start_traced)

    def _is_ours(self, function: Any) -> bool:
        return isinstance(function, self.module.CTracer)

    def _tell_rival(self) -> None:
        if self.rival and not self.rival_told:
            try:
                self.journal.rival()
                self.rival_told = True
            except Full:
                pass  # the next flush tries again

    def _new_tracer(self) -> Any:
        tracer = self._tracer(self.data)
        tracer.should_trace = self._should_trace
        tracer.should_trace_cache = self.dispositions
        return tracer

    def _begin_flushing(self) -> None:
        """Start the flusher, not sooner than with the first measured file, and not in a process that forks in C.

        Such a fork does not wait for Python's lock. If the flusher has it in that moment, or waits for it, the child
        waits for ever.
        """
        if self.flusher.begun.locked() or uwsgi.follow(self._begin_worker, self._begin_thread):
            return
        try:
            self.flusher.begin()
        except RecursionError:
            raise
        except RuntimeError:
            pass  # there are too many threads or processes: tried again with the next file

    def _record(self, name: str, item: int) -> None:
        if not self.branch:
            return self.journal.line(name, item)
        mask = (1 << self.shift) - 1
        start, end = item & mask, item >> self.shift & mask
        signs = item >> 2 * self.shift
        self.journal.arc(name, -start if signs & 1 else start, -end if signs & 2 else end)

    def _should_trace(self, filename: str, frame: FrameType) -> Any:
        try:
            name = self._name_of(filename, frame.f_code)
            # coverage.py's disposition is never freed until 3.10, and names like "<string 123>" never end.
            return self.untraced if name is None else self._disposition(filename, name)
        except RecursionError:
            # It may not get out: the tracer would take the lines that follow for those of other files.
            if CAUGHT_RECURSION_ABORTS:
                raise
            self.undecided = True
            return self.untraced

    def _name_of(self, filename: str, code: CodeType) -> str | None:
        """Return the name under which a file is recorded, None when it isn't."""
        try:
            self._look_for_fork()
            if not self.greenlets and "greenlet" in sys.modules:
                self._follow_greenlets()
            name = self.scope.measured_code(code)
            if name is not None:
                self.journal.look_at(name)
                if filename[0] != "/":
                    self._look_for_namesake(filename, name)
                self._begin_flushing()
            return name
        except RecursionError:
            raise
        except Exception as error:
            raise_foreign(error)
            return None

    def _look_for_namesake(self, filename: str, name: str) -> None:
        """Doubt two files that share a relative name: the tracer cannot tell their lines apart.

        It asks once for a name, and again after the working directory has changed.
        """
        if not self.relative:
            chdir = os.chdir

            def ask_again() -> Any:
                self.dispositions.clear()
                return chdir

            stand_in(os, "chdir", ask_again)
        other = self.relative.setdefault(filename, name)
        if other != name:
            self.journal.doubt(name)
            self.journal.doubt(other)

    def _disposition(self, filename: str, name: str | None) -> Any:
        disposition = self.module.CFileDisposition()
        disposition.original_filename = disposition.canonical_filename = filename
        disposition.source_filename, disposition.trace = name, name is not None
        disposition.reason, disposition.file_tracer, disposition.has_dynamic_filename = "", None, False
        return disposition

    def _tracer(self, data: dict[str, set[int]]) -> Any:
        tracer = self.module.CTracer()
        tracer.data = data
        tracer.trace_arcs = self.branch
        # Both are called whenever a function begins. A type is the only callable whose call does not count against the
        # limit of recursion, and the tracers up to 7.10 leak what is returned: the one empty tuple.
        if hasattr(tracer, "lock_data"):  # since 7.5.4
            tracer.lock_data = tracer.unlock_data = tuple
        tracer.warn = nothing
        tracer.file_tracers = {}
        # The tracer compares these with None and crashes on what was never set.
        tracer.concur_id_func = tracer.check_include = tracer.disable_plugin = None
        tracer.should_start_context = tracer.switch_context = None
        return tracer

    def _packing(self) -> int:
        """Return how many bits a line number has in a packed arc: 20 up to coverage 7.10, 28 from 7.16 on.

        Seen in the arc that enters a function of our own: the sign of its start is the bit above both numbers.
        """
        data: dict[str, set[int]] = {}

        def always(filename: str, _frame: FrameType) -> Any:
            return self._disposition(filename, filename)

        tracer = self._tracer(data)
        tracer.should_trace, tracer.should_trace_cache = always, {}
        tracer.start()
        nothing()
        tracer.stop()
        return 28 if any(arc >> 56 for arcs in data.values() for arc in arcs) else 20


class Installed:
    """The tracer of one thread. Whoever has set it frees it: nothing else refers to it when a debugger takes its place.

    One that is freed while it is started ends the tracing of the thread in which it is freed, which is another one
    where greenlet kept it; and at the end of the interpreter CPython complains about that on stderr.
    """

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer

    def stop(self) -> None:
        """Stop it, so that it can be freed."""
        self.tracer.stop()


class Traced:
    """A function on a new thread, which installs a tracer there first."""

    def __init__(self, function: Callable[..., object], install: Callable[[], Installed]) -> None:
        self.function, self.install = function, install
        self.installed: Installed | None = None

    @property
    def __call__(self) -> Callable[..., object]:
        """A property, so that the function has nothing of ours below it on the stack of its thread."""
        self.trace()
        return self.function

    def trace(self) -> None:
        """Trace the calling thread."""
        self.installed = self.install()

    def __repr__(self) -> str:
        return repr(self.function)  # "Exception ignored in thread started by: ..."

    def __del__(self) -> None:
        """Stop the tracer: its thread has run the function."""
        if self.installed is not None:
            self.installed.stop()


def load() -> Any:
    """Load the tracer module of this interpreter's version, libc and architecture. Raises Unavailable."""
    # A debug build loads the extensions of others too, and its own suffix is the first.
    paths = [os.path.join(PAYLOAD, "tracer" + suffix) for suffix in EXTENSION_SUFFIXES]
    path = next(filter(os.path.exists, paths), paths[0])
    loader = ExtensionFileLoader("coverage_spy.tracer_payload.tracer", path)  # the last part names its PyInit_
    spec = ModuleSpec(loader.name, loader, origin=path)
    try:
        module = loader.create_module(spec)
        loader.exec_module(module)
    except (ImportError, OSError) as error:
        raise Unavailable(TRACER, described(error)) from None
    return module


def nothing(*_args: object) -> None:
    """Take the place of a callback that coverage.py's collector would give."""
