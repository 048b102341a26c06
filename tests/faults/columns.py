"""Ways to measure: nothing, the spy, and coverage.py. Each says what it adds to a run, and reads what was recorded."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from coverage import CoverageData
from coverage.exceptions import CoverageException
from machine import INTERPRETERS, SPY, number
from processes import Stage
from situation import Situation

from coverage_tasks.injection.payload import VERSIONS, fill_payload
from coverage_tasks.injection.spy import LINE, for_spy, pth_line
from coverage_tasks.recorded.journals import Refusal, read_journals
from coverage_tasks.sources.images import Interpreter


@dataclass
class Recorded:
    """What a measured run left: lines by absolute path, damage in words, and what the receipts say."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    damage: list[str] = field(default_factory=list)
    receipts: int = 0
    refusals: list[Refusal] = field(default_factory=list)


class Column(Protocol):
    """One way to measure."""

    name: str

    def packages(self, version: str) -> tuple[str, ...]:
        """Return what it needs installed beside the application's own packages."""

    def prepare(self, situation: Situation, stage: Stage) -> dict[str, str]:
        """Write what it needs into the stage; return the variables that switch it on, without those of `situation`."""

    def recorded(self, stage: Stage) -> Recorded:
        """Read what a run has left."""


class Nothing:
    """No measuring: what every other column is compared with."""

    name = "none"

    def packages(self, version: str) -> tuple[str, ...]:
        return ()

    def prepare(self, situation: Situation, stage: Stage) -> dict[str, str]:
        return {}

    def recorded(self, stage: Stage) -> Recorded:
        return Recorded()


@dataclass
class Spy:
    """coverage-spy, the way the overlay sets it up. `copy` is the spy as it was when the suite began."""

    copy: Path
    name: str = "spy"

    def packages(self, version: str) -> tuple[str, ...]:
        return ()

    def prepare(self, situation: Situation, stage: Stage) -> dict[str, str]:
        stage.data.mkdir()
        stage.data.chmod(0o1777)  # mkdir would take the umask off
        variables = {
            "COVERAGE_ENABLE": "true",
            "COVERAGE_FILE": f"{stage.data}/.coverage.service",
            "COVERAGE_SOURCE": str(stage.work),
        }
        if situation.pth:
            # Beside the rest, where a container finds it: nothing that is returned leads to the copy.
            spy = shutil.copytree(self.copy, stage.directory / "coverage-spy")
            (stage.site / LINE).write_text(pth_line(variables).replace("/coverage-spy", str(spy)))
            return {}
        before = situation.environment.get("PYTHONPATH")
        path = f"{self.copy}:{before}" if before else str(self.copy)
        return for_spy(variables, situation.environment) | {"PYTHONPATH": path}

    def recorded(self, stage: Stage) -> Recorded:
        return read_spy_data(stage.data)


class CoveragePy:
    """coverage.py, configured as well as its documentation allows, and started by a .pth file."""

    name = "coverage.py"

    def packages(self, version: str) -> tuple[str, ...]:
        return (f"coverage=={VERSIONS[version.replace('.', '')]}",)

    def prepare(self, situation: Situation, stage: Stage) -> dict[str, str]:
        stage.data.mkdir()
        stage.data.chmod(0o1777)  # mkdir would take the umask off
        config = stage.directory / "coveragerc"
        options = {
            "source": stage.work,
            "data_file": stage.data / ".coverage",
            "parallel": "true",
            "sigterm": "true",
            "concurrency": situation.concurrency,
            "disable_warnings": "no-data-collected,module-not-imported,module-not-measured,already-imported,"
            "trace-changed,no-ctracer,no-sysmon",
        }
        if number(stage.version) >= (3, 9):  # coverage 7.10; 3.8's last one has no patches
            options["patch"] = "_exit,execv,fork,subprocess"
        config.write_text("[run]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()))
        return {"COVERAGE_PROCESS_START": str(config)}

    def recorded(self, stage: Stage) -> Recorded:
        return read_coverage_data(stage.data)


def read_spy_data(directory: Path) -> Recorded:
    """Read all journals of a directory. Those of a process that was killed before its first word are no damage."""
    journals, errors = read_journals(directory)
    found = Recorded(
        damage=[str(error) for error in errors if error.kind != "unborn"],
        receipts=len({journal.receipt.process for journal in journals}),
        refusals=sorted({refusal for journal in journals for refusal in journal.receipt.refusals}),
    )
    for journal in journals:
        if journal.unreadable:
            found.damage.append(f"{journal.unreadable} words of {journal.path.name} mean nothing")
        for path, lines in journal.lines.items():
            found.lines.setdefault(path, set()).update(lines)
    return found


def read_coverage_data(directory: Path) -> Recorded:
    """Read all data files of coverage.py in a directory."""
    found = Recorded()
    for path in sorted(directory.glob(".coverage*")):
        data = CoverageData(str(path))
        try:
            data.read()
            for name in data.measured_files():
                found.lines.setdefault(name, set()).update(data.lines(name) or ())
        except CoverageException as error:
            found.damage.append(f"{path.name}: {error}")
        finally:
            data.close()
    return found


def copy_spy(directory: Path, versions: list[str]) -> Spy:
    """Copy the spy, with its payload, and compile it for each interpreter, as `coverage-overlay` does."""
    ask = "from importlib.machinery import EXTENSION_SUFFIXES as s; print(s[0])"
    for version in versions:
        suffix = subprocess.run([INTERPRETERS[version], "-c", ask], capture_output=True, text=True, check=True).stdout
        fill_payload([Interpreter(INTERPRETERS[version], version, suffix.strip())], SPY / "payload")
    shutil.copytree(SPY, directory, ignore=shutil.ignore_patterns("__pycache__"))
    for version in versions:
        subprocess.run([INTERPRETERS[version], "-m", "compileall", "-q", str(directory)], check=True)
    return Spy(directory)
