"""Runs a situation as processes: starts it, makes its requests, sends its signals, and leaves nothing of it behind."""

import ctypes
import http.client
import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from machine import btrfs
from situation import Helper, Request, Signal, Situation

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LINGER = 3.0  # seconds that processes may outlive the main one


@dataclass(frozen=True)
class Stage:
    """Where one run happens: `directory` holds `work`, the application's, and what the column needs."""

    directory: Path
    environment_of_python: Path  # a virtual environment of the interpreter under test, with what the situation requires
    port: int
    version: str  # of the interpreter under test, such as "3.12"

    @property
    def work(self) -> Path:
        """The application's working directory."""
        return self.directory / "work"

    @property
    def site(self) -> Path:
        """The site directory of the interpreter's environment."""
        return self.environment_of_python / f"lib/python{self.version}/site-packages"

    @property
    def data(self) -> Path:
        """Where what is recorded goes."""
        return self.directory / "data"


@dataclass
class Outcome:
    """What a run showed to the outside."""

    code: int | None  # None: it had to be killed
    stdout: str
    stderr: str
    answers: list[str]
    stop: float  # seconds from the last signal, or else from the last output, to the end
    lasted: float = 0.0  # seconds from the start to the end


@dataclass
class Output:
    """What a process has written to stdout and stderr so far."""

    texts: dict[str, bytearray] = field(default_factory=lambda: {"stdout": bytearray(), "stderr": bytearray()})
    last: float = field(default_factory=time.monotonic)

    def follow(self, name: str, pipe: IO[bytes] | None) -> threading.Thread:
        """Read a pipe to its end in a thread."""
        assert pipe is not None

        def read() -> None:
            with pipe:
                while piece := os.read(pipe.fileno(), 1 << 16):
                    self.last = time.monotonic()
                    self.texts[name] += piece

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def text(self, name: str) -> str:
        """What was written to "stdout" or "stderr"."""
        return self.texts[name].decode(errors="backslashreplace")

    def shows(self, text: str) -> bool:
        """Whether a text was written to either."""
        return any(text.encode() in written for written in self.texts.values())


def adopt_orphans() -> None:
    """Make this process the one that its descendants' orphans fall to, and have it end with its parent."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(situation: Situation, stage: Stage, added: dict[str, str]) -> Outcome:
    """Run a situation to its end, with `added` variables in its environment."""
    if situation.disk:
        with own_disk(stage):
            return perform(situation, stage, added)
    return perform(situation, stage, added)


@contextmanager
def own_disk(stage: Stage) -> Iterator[None]:
    """Have the data lie on a btrfs, and copy it to where it would be without when the run is over."""
    copied = stage.directory / "copied"
    stage.data.mkdir(exist_ok=True)
    with btrfs(stage.data):
        yield
        shutil.copytree(stage.data, copied, ignore=shutil.ignore_patterns("fill"))
    shutil.copytree(copied, stage.data, dirs_exist_ok=True)


def perform(situation: Situation, stage: Stage, added: dict[str, str]) -> Outcome:
    """Start a situation's processes, make its requests, send its signals, and wait for the end."""
    helpers = [start_helper(helper, stage) for helper in situation.helpers]
    begin = time.monotonic()
    process = subprocess.Popen(
        [
            found_program(situation.command[0], stage),
            *(part.replace("{port}", str(stage.port)) for part in situation.command[1:]),
        ],
        cwd=stage.work,
        env=environment(situation, stage) | added,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    output = Output()
    try:
        readers = [output.follow("stdout", process.stdout), output.follow("stderr", process.stderr)]
        deadline = time.monotonic() + situation.limit

        def wait_until(holds: Callable[[], bool]) -> bool:
            while process.poll() is None and time.monotonic() < deadline:
                if holds():
                    return True
                time.sleep(0.005)
            return holds()

        answers = [answer for request in situation.requests for answer in ask(request, stage.port, output, wait_until)]
        told = [send(step, process, output, wait_until) for step in situation.signals]
        try:
            code = process.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            code = None
        end = time.monotonic()
        for helper in helpers:
            helper.kill()
            helper.wait()
        for _ in range(round(LINGER / 0.01)):
            if code is None or not descendants():
                break
            time.sleep(0.01)
    finally:
        kill_descendants()
        process.wait()
        reap()
    for reader in readers:
        reader.join()
    since = max(told) if any(told) else min(output.last, end)
    return Outcome(code, output.text("stdout"), output.text("stderr"), answers, end - since, end - begin)


def start_helper(helper: Helper, stage: Stage) -> subprocess.Popen[bytes]:
    """Start a helper and wait until it is ready."""
    process = subprocess.Popen(helper.command, cwd=stage.work, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 10
    while not (stage.work / helper.makes).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return process


def environment(situation: Situation, stage: Stage) -> dict[str, str]:
    """Return what an application is given in every run, measured or not."""
    return {
        "PATH": f"{stage.environment_of_python}/bin:{SYSTEM_PATH}",
        "HOME": str(stage.work),
        "LANG": "C.UTF-8",
        "PORT": str(stage.port),
        **situation.environment,
    }


def found_program(name: str, stage: Stage) -> str:
    """Return a program's path: of the interpreter's environment first."""
    installed = stage.environment_of_python / "bin" / name
    return str(installed) if installed.exists() else name


def ask(request: Request, port: int, output: Output, wait_until: Callable[[Callable[[], bool]], bool]) -> list[str]:
    """Make a request `times` times and return the answers, each as "status body"."""
    wait_until(lambda: output.shows(request.after))
    answers: list[str] = []

    def answered() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request(request.method, request.path, request.body or None)
            answer = connection.getresponse()
            answers.append(f"{answer.status} {answer.read().decode(errors='backslashreplace')}")
        except ConnectionRefusedError:
            return False  # nothing listens yet
        except (OSError, http.client.HTTPException) as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()
        return True

    for _ in range(request.times):
        wait_until(answered)
    return answers


def send(
    step: Signal, process: subprocess.Popen[bytes], output: Output, wait_until: Callable[[Callable[[], bool]], bool]
) -> float:
    """Send a signal when it is time to; return when that was, 0.0 when there was nobody left."""
    if isinstance(step.after, str):
        wait_until(lambda: output.shows(str(step.after)))
        time.sleep(step.idle)
    else:
        time.sleep(step.after)
    pid = process.pid
    if step.to:
        named = re.search(rf"^{re.escape(step.to)}: (\d+)$", output.text("stdout"), re.MULTILINE)
        pid = int(named[1]) if named else 0
    if process.poll() is not None or pid not in descendants():
        return 0.0
    os.kill(pid, step.number)
    return time.monotonic()


def descendants() -> list[int]:
    """Return the living processes below this one."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            parents[int(entry.name)] = int(parent), state
    found, ours = [], {os.getpid()}
    while below := {pid for pid, (parent, _) in parents.items() if parent in ours and pid not in ours}:
        ours |= below
        found += [pid for pid in below if parents[pid][1] not in "ZX"]
    return found


def kill_descendants() -> None:
    """End every process below this one, however often it forks meanwhile."""
    while living := descendants():
        for pid in living:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.005)


def reap() -> None:
    """Let go of the dead that fell to this process."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
