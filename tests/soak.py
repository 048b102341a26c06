"""Serves for half an hour under load while workers are killed, and looks whether anything is lost or grows.

For each interpreter there are two gunicorns, of threads and of processes alone, each with a twin that is not measured.
Workers are sent SIGKILL or SIGTERM at random, and recycled after some requests; the first worker of each lives to the
end. Ctrl-C ends it early, with the report.
"""

import argparse
import random
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from columns import copy_spy
from findings import MEMORY, Findings, findings
from machine import INTERPRETERS, ROOT, number
from packages import make_environment
from processes import adopt_orphans, kill_descendants
from server import MOMENTS, WORKERS, Server
from traffic import Traffic

DOCUMENT = ROOT / "docs" / "soak.md"
GUNICORN = "gunicorn==23.0.0"
CLASSES = ("gthread", "sync")
DEFAULTS = ("3.11", "3.12")  # the tracer's newest, the monitor's oldest
FULL = 30.0  # minutes of the run that the document tells of
SETTLE = 3.0  # seconds without requests and kills before processes are looked at

EXPLANATION = """
# What happens in half an hour

Written by `nox -s soak`: gunicorns of {workers} workers each, with threads (`gthread`) and without (`sync`),
{minutes:.0f} minutes under load. Workers are killed at random (seed {seed}), and recycled by gunicorn after some
requests; the first worker of each is left alone. In brackets is the same without the spy, measured at the same time.
Every answer names the worker that gave it, so it is known which lines all processes together, and each by itself, must
have recorded. The tracer (Python 3.11) is flushed every 0.1 s, so a process may miss what it ran just before a SIGKILL.
Three numbers in a row are those at the start, after {warm:.0f} minutes and at the end.

It fails when a line is missing or invented, a journal is unreadable or larger than the application's lines need, a
process that ran left no receipt, an answer is wrong, descriptors are others than after {warm:.0f} minutes or than
without the spy, or memory grew since then by more than {memory} KiB on top of what it grew without it.
"""


def free_port() -> int:
    """Return a port of this machine's that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def prepare(args: argparse.Namespace, directory: Path) -> list[Server]:
    """Install gunicorn, copy the spy, start all servers, and wait until they serve."""
    spy = copy_spy(directory / "coverage-spy", args.python).copy
    servers = []
    for version in args.python:
        environment = make_environment(version, (GUNICORN,))
        for worker_class in CLASSES:
            for measured in (True, False):
                place = directory / f"{version}-{worker_class}{'' if measured else '-twin'}"
                place.mkdir()
                servers.append(Server(version, worker_class, measured, place, free_port()))
                servers[-1].start(environment, spy)
    for server in servers:
        if not server.wait_until_complete():
            raise SystemExit(f"gunicorn does not start; it says: {server.log[-1000:]}")
    return servers


class Soak:
    """One run: the traffic of all servers, and the moments at which their processes are looked at."""

    def __init__(self, args: argparse.Namespace, servers: list[Server]) -> None:
        self.gate, self.over = threading.Event(), threading.Event()
        self.traffics = [
            Traffic(server, args.seed, args.rate, args.kill_every, self.gate, self.over) for server in servers
        ]
        self.begin = time.monotonic()
        self.looked = 0  # how many of MOMENTS are over

    def run(self, minutes: float, warm: float) -> bool:
        """Let it run, telling once a minute how it goes; return whether it came to its end without a Ctrl-C."""
        whole = False
        try:
            self.look(MOMENTS[0])
            for traffic in self.traffics:
                traffic.start()
            self.wait_until(warm * 60)
            self.look(MOMENTS[1])
            self.wait_until(minutes * 60)
            whole = True
        except KeyboardInterrupt:
            print("interrupted: ending early", flush=True)
        for moment in MOMENTS[self.looked :]:
            self.look(moment)
        self.over.set()
        for traffic in self.traffics:
            traffic.server.stop()
        return whole

    def look(self, moment: str) -> None:
        """Stop the traffic for a while and read what the long-living processes take."""
        self.gate.clear()
        time.sleep(SETTLE)
        for traffic in self.traffics:
            traffic.server.complete &= traffic.server.wait_until_complete()
            traffic.server.read(moment)
        self.looked += 1

    def wait_until(self, seconds: float) -> None:
        """Let the traffic flow until so long after the beginning."""
        self.gate.set()
        while (left := seconds - (time.monotonic() - self.begin)) > 0:
            time.sleep(min(left, 60))
            self.tell()

    def tell(self) -> None:
        """Print a line of progress."""
        total = {key: sum(traffic.counts[key] for traffic in self.traffics) for key in ("answered", "lost")}
        kills = sum(len(traffic.killed) for traffic in self.traffics)
        seconds = time.monotonic() - self.begin
        words = f"{total['answered']:>8,} answered  {total['lost']:>5} lost  {kills:>5} kills"
        print(f"{seconds // 60:>3.0f}:{seconds % 60:02.0f}  {words}", flush=True)


def table(results: dict[str, Findings]) -> str:
    """Return the figures of all servers, as a table of Markdown."""
    rows = [["", *results], ["---"] * (len(results) + 1)]
    names = dict.fromkeys(name for found in results.values() for name in found.figures)
    rows += [[name, *(found.figures.get(name, "") for found in results.values())] for name in names]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    here = [version for version in INTERPRETERS if number(version) >= (3, 8)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=FULL, help="how long (default: %(default)g)")
    parser.add_argument(
        "--python", action="append", choices=here, help=f"default: {' and '.join(DEFAULTS)}; may be repeated"
    )
    parser.add_argument(
        "--rate", type=float, default=20, help="requests a second to each server (default: %(default)g)"
    )
    parser.add_argument(
        "--kill-every",
        type=float,
        default=4,
        metavar="SECONDS",
        help="between two kills of a server's workers, in the mean (default: %(default)g)",
    )
    parser.add_argument("--seed", default=str(random.randrange(10**6)), help="of all chance (default: a new one)")
    args = parser.parse_args()
    args.python = list(dict.fromkeys(args.python or DEFAULTS))
    missing = [version for version in args.python if version not in here]
    if missing:
        parser.error(f"no interpreter for {missing[0]} here; choose of {', '.join(here)} with --python")
    return args


def main() -> int:
    """Run it and report; write docs/soak.md after a full run. Returns 1 when something was lost or grew."""
    args = arguments()
    adopt_orphans()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-spy-") as name:
        try:
            soak = Soak(args, prepare(args, Path(name).resolve()))
            warm = args.minutes / 3
            whole = soak.run(args.minutes, warm)
            pairs = zip(soak.traffics[::2], soak.traffics[1::2], strict=True)
            results = {traffic.server.name: findings(traffic, twin) for traffic, twin in pairs}
        except KeyboardInterrupt:
            return 130
        finally:
            kill_descendants()
    print(table(results), flush=True)
    failures = [f"{name}: {sentence}" for name, found in results.items() for sentence in found.failures]
    print(*(failures or ["nothing is missing, invented or unreadable, and nothing grows"]), sep="\n")
    if whole and not failures and args.minutes >= FULL and args.python == list(DEFAULTS):
        numbers = {"minutes": args.minutes, "warm": warm, "workers": WORKERS, "memory": MEMORY, "seed": args.seed}
        beside = DOCUMENT.with_suffix(".part")
        beside.write_text(f"{EXPLANATION.format(**numbers).strip()}\n\n{table(results)}\n")
        beside.replace(DOCUMENT)
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
