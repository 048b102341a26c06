"""coverage.py as its documentation says to use it in subprocesses: what the spy is compared with."""

import os
import subprocess
from pathlib import Path

START = "import coverage\ncoverage.process_startup()\n"


def coverage_environment(
    directory: Path, python: str, source: Path, requirement: str = "coverage", start: str = START
) -> dict[str, str] | None:
    """Return an environment in which coverage.py measures `source` into `directory`; None where pip can't get it."""
    directory.mkdir(exist_ok=True)
    site = directory / "site"
    wanted = [python, "-m", "pip", "install", "--quiet", "--target", str(site), requirement]
    if subprocess.run(wanted, capture_output=True).returncode:
        return None
    (site / "sitecustomize.py").write_text(start)
    config = directory / "coveragerc"
    config.write_text(
        f"[run]\nsource = {source}\ncover_pylib = true\nparallel = true\ndata_file = {directory}/.coverage\n"
    )
    subprocess.run([python, "-m", "compileall", "-q", str(site)], check=True)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(site), "COVERAGE_PROCESS_START": str(config)}
