"""What a server is put through: clients that ask and keep what was answered, and somebody who kills workers."""

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from application import URLS, value
from server import Server

CLIENTS = 4  # to a server
PATIENCE = 10.0  # seconds that a client waits for an answer

Worker = tuple[int, float]  # pid, and when it had imported the application, in seconds since the epoch


@dataclass
class Traffic:
    """What happens to one server. `gate` is set while anything is to happen, `over` when nothing is to any more."""

    server: Server
    seed: str
    rate: float  # requests in a second, of all clients
    kill_every: float  # seconds between two kills, in the mean
    gate: threading.Event
    over: threading.Event
    answers: dict[Worker, dict[str, float]] = field(default_factory=dict)  # worker -> URL -> when it had run
    lost: list[tuple[str, float, float]] = field(default_factory=list)  # URL without an answer: asked, given up
    killed: list[tuple[int, signal.Signals, float]] = field(default_factory=list)  # pid, signal, time
    served: Counter[int] = field(default_factory=Counter)  # answers, by pid
    counts: Counter[str] = field(default_factory=Counter)  # "answered", "lost", "hung", "wrong"

    def start(self) -> list[threading.Thread]:
        """Start the clients and the killer; return their threads."""
        rounds = [(self.visit, self.rate / CLIENTS, f"client {i}") for i in range(CLIENTS)]
        rounds.append((self.kill, 1 / self.kill_every, "killer"))
        threads = []
        for act, rate, name in rounds:
            chance = random.Random(f"{self.seed} {self.server.name} {name}")
            threads.append(threading.Thread(target=self.repeat, args=(act, rate, chance), daemon=True))
            threads[-1].start()
        return threads

    def repeat(self, act: Callable[[random.Random], None], rate: float, chance: random.Random) -> None:
        """Do it `rate` times in a second in the mean, at random moments."""
        while not self.over.wait(chance.expovariate(rate)):
            if self.gate.is_set():
                act(chance)

    def visit(self, chance: random.Random) -> None:
        """Make a request and keep what became of it."""
        url = chance.choice(URLS)
        asked = time.time()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            connection.request("GET", url, headers={"Connection": "close"})
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.counts["hung" if isinstance(error, TimeoutError) else "lost"] += 1
            self.lost.append((url, asked, time.time()))
            return
        finally:
            connection.close()
        found, _, worker = text.partition(" ")
        if answer.status != 200 or found != value(url):
            self.counts["wrong"] += 1
            return
        pid, born, ran = worker.split()
        self.counts["answered"] += 1
        self.served[int(pid)] += 1
        self.answers.setdefault((int(pid), float(born)), {}).setdefault(url, float(ran))

    def kill(self, chance: random.Random) -> None:
        """Send one of the workers, but not the first, SIGKILL or SIGTERM."""
        number = chance.choice((signal.SIGKILL, signal.SIGTERM))
        workers = [pid for pid in self.server.living() if pid != self.server.first]
        if workers:
            pid = chance.choice(workers)
            self.killed.append((pid, number, time.time()))
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
