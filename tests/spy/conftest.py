"""Runs small programs under the spy, on every CPython of this machine, and reads the journals they leave."""

import os
import subprocess
import textwrap
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from machine import INTERPRETERS, SPY, number

from coverage_spy.environment import SECOND_NAMES
from coverage_tasks.injection.spy import for_spy
from coverage_tasks.recorded.journals import Journal, read_journals

MEASURED = [version for version in INTERPRETERS if number(version) >= (3, 8)]
MONITORED = [version for version in INTERPRETERS if number(version) >= (3, 12)]
TOO_OLD = [version for version in INTERPRETERS if number(version) < (3, 8)]


@dataclass
class Run:
    """What a program did: its result, and the journals of all its processes."""

    result: subprocess.CompletedProcess
    journals: list[Journal]
    sources: dict[str, str] = field(default_factory=dict)

    def lines(self, name="app.py"):
        """The lines of a program's file that any process recorded."""
        return {
            line
            for journal in self.journals
            for path, lines in journal.lines.items()
            if Path(path).name == name
            for line in lines
        }

    def executed(self, name="app.py"):
        """The same, whether lines were recorded or branches."""
        arcs = {
            abs(line)
            for journal in self.journals
            for path, pairs in journal.arcs.items()
            if Path(path).name == name
            for pair in pairs
            for line in pair
            if line > 0
        }
        return self.lines(name) | arcs

    def marked(self, name="app.py"):
        """The lines of a program's file that say `# runs`."""
        return {
            number for number, line in enumerate(self.sources[name].splitlines(), 1) if line.rstrip().endswith("# runs")
        }


@dataclass
class Spy:
    """Runs programs on one interpreter."""

    python: str
    version: tuple[int, ...]
    directory: Path
    environment: dict[str, str]

    @property
    def data(self):
        return self.directory / "data"

    @property
    def engine(self):
        branch = self.environment.get("COVERAGE_BRANCH") == "true"
        return "monitor" if self.version >= (3, 12) and not branch else "tracer"

    def mark(self):
        """Give the variables the second names that an overlay gives them."""
        self.environment.update(for_spy({n: v for n, v in self.environment.items() if n in SECOND_NAMES}, ()))

    def write(self, **files):
        """Write modules into the program's directory: `app="..."` is app.py."""
        sources = {f"{name}.py": textwrap.dedent(text).lstrip("\n") for name, text in files.items()}
        for name, text in sources.items():
            (self.directory / name).write_text(text)
        return sources

    def run(self, *arguments, check=0, timeout=600, environment=None, **files):
        """Run app.py, or `python ARGUMENTS`, until it ends; expects the exit code `check`."""
        sources = self.write(**files)
        result = subprocess.run(
            [self.python, *(arguments or ("app.py",))],
            cwd=self.directory,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert result.returncode == check, result.stderr
        return self.read(result, sources)

    @contextmanager
    def start(self, *arguments):
        """Run app.py, or `python ARGUMENTS`, as long as the body wants; its output can be read."""
        with subprocess.Popen(
            [self.python, *(arguments or ("app.py",))],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def read(self, result, sources):
        journals, problems = read_journals(self.data)
        # A worker of a pool may be terminated while it opens its journal, before it ran anything.
        assert not [problem for problem in problems if problem.kind != "unborn"]
        return Run(result, journals, sources)


def make_spy(version, directory):
    (directory / "data").mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SPY),
        "PYTHONDONTWRITEBYTECODE": "1",
        "COVERAGE_ENABLE": "true",
        "COVERAGE_FILE": f"{directory}/data/.coverage.orders",
        "COVERAGE_SOURCE": str(directory),
    }
    return Spy(INTERPRETERS[version], number(version), directory, environment)


@pytest.fixture(scope="session", autouse=True)
def with_payload(payload):
    """Every test here needs it."""


@pytest.fixture(params=MEASURED)
def spy(request, tmp_path):
    return make_spy(request.param, tmp_path)


@pytest.fixture(params=MONITORED)
def monitored(request, tmp_path):
    return make_spy(request.param, tmp_path)


@pytest.fixture(params=TOO_OLD)
def too_old(request, tmp_path):
    return make_spy(request.param, tmp_path)


@pytest.fixture
def newest(tmp_path):
    """One interpreter, for what does not depend on its version."""
    return make_spy(max(MEASURED, key=number), tmp_path)
