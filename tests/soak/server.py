"""A gunicorn that serves the application, measured or not, its processes, and what they take."""

import contextlib
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import application

WORKERS, THREADS = 4, 4  # of one server, and in a worker of class gthread
MAX_REQUESTS, JITTER = 30, 30
PROCESSES, MOMENTS = ("master", "first worker"), ("start", "warm", "end")  # what is looked at, and when


@dataclass(frozen=True)
class Event:
    """What a server's hook has told: a worker was "fork"ed, was "born" (ran its first line), or "exit"ed."""

    kind: str
    age: int  # the workers of a server are numbered from 1
    pid: int
    time: float


@dataclass(frozen=True)
class Reading:
    """What a process takes at one moment: open descriptors, and resident memory in KiB."""

    descriptors: int
    memory: int


@dataclass
class Server:
    """One gunicorn with several workers in a directory of its own."""

    version: str
    worker_class: str
    measured: bool
    directory: Path
    port: int
    master: subprocess.Popen[bytes] = field(init=False)
    first: int = 0  # pid of the first worker, which is neither killed nor recycled; 0 before it is there
    complete: bool = True  # whether killed workers have always been replaced
    code: int | None = None
    ended: int = 0  # workers, before the end of all
    usage: float = 0.0  # seconds of CPU, of the master and all its workers, when it has ended
    readings: dict[str, dict[str, Reading]] = field(default_factory=lambda: {process: {} for process in PROCESSES})

    @property
    def name(self) -> str:
        """The interpreter and the kind of worker, which a server shares with its twin that is not measured."""
        return f"{self.version} {self.worker_class}"

    @property
    def work(self) -> Path:
        """The application's directory."""
        return self.directory / "work"

    @property
    def data(self) -> Path:
        """Where journals go."""
        return self.directory / "data"

    @property
    def log(self) -> str:
        """What gunicorn has printed."""
        return (self.directory / "log").read_text(errors="backslashreplace")

    @property
    def tracebacks(self) -> int:
        """How many of them stand in the log."""
        return self.log.count("Traceback")

    def start(self, environment_of_python: Path, spy: Path) -> None:
        """Write the application and serve it. It runs in a session of its own: a Ctrl-C is not for it."""
        application.write(self.work)
        self.data.mkdir()
        variables = {"PATH": f"{environment_of_python}/bin:{os.defpath}", "LANG": "C.UTF-8"}
        if self.measured:
            variables |= {
                "PYTHONPATH": str(spy),
                "COVERAGE_ENABLE": "true",
                "COVERAGE_FILE": f"{self.data}/.coverage.soak",
                "COVERAGE_SOURCE": str(self.work),
            }
        options = {
            "bind": f"127.0.0.1:{self.port}",
            "workers": WORKERS,
            "worker-class": self.worker_class,
            "threads": THREADS if self.worker_class == "gthread" else 1,
            "max-requests": MAX_REQUESTS,
            "max-requests-jitter": JITTER,
        }
        command = [f"--{name}={value}" for name, value in options.items()]
        with (self.directory / "log").open("wb") as log:
            self.master = subprocess.Popen(
                [environment_of_python / "bin" / "gunicorn", *command, "application:application"],
                cwd=self.work,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def events(self) -> list[Event]:
        """Return what the hooks have told so far."""
        file = self.work / "events"
        words = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return [Event(kind, int(age), int(pid), float(at)) for kind, age, pid, at in words]

    def living(self) -> list[int]:
        """Return the pids of the workers."""
        try:
            children = Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children").read_text()
        except OSError:
            return []
        return [int(pid) for pid in children.split()]

    def wait_until_complete(self, limit: float = 30.0) -> bool:
        """Wait until there are as many workers as there should be; return whether it came so."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            born = {event.pid: event.age for event in self.events() if event.kind == "born"}
            living = self.living()
            if len(living) == WORKERS and born.keys() >= set(living):
                self.first = self.first or next(pid for pid, age in born.items() if age == 1)
                return True
            time.sleep(0.05)
        return False

    def read(self, moment: str) -> None:
        """Note what the master and the first worker take at one of MOMENTS; one that is no more has no reading."""
        for process, pid in zip(PROCESSES, (self.master.pid, self.first), strict=True):
            proc = Path(f"/proc/{pid}")
            with contextlib.suppress(OSError, KeyError):  # a zombie has no memory
                status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
                descriptors = len(list((proc / "fd").iterdir()))
                self.readings[process][moment] = Reading(descriptors, int(status["VmRSS"].split()[0]))
        self.ended = sum(event.kind == "exit" for event in self.events())

    def stop(self, limit: float = 40.0) -> None:
        """End it in its own way; `code` stays None when it does not end."""
        self.master.terminate()
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            pid, status, usage = os.wait4(self.master.pid, os.WNOHANG)
            if pid:
                self.code = self.master.returncode = os.waitstatus_to_exitcode(status)
                self.usage = usage.ru_utime + usage.ru_stime
                return
            time.sleep(0.05)
