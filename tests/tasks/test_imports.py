"""What the tasks import."""

import subprocess
import sys

from coverage_tasks.project import TOOL


def test_tasks_import_without_any_requirement():
    # nox reads the table of tasks with nothing installed but itself.
    code = "import sys; sys.path.insert(0, sys.argv[1]); import coverage_tasks.cli; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code, str(TOOL / "scripts")], capture_output=True, text=True, check=True
    )
    assert not {"yaml", "coverage", "honcho"} & set(answer.stdout.split())


def test_reports_load_nothing_that_runs_services():
    reports = "import coverage_tasks.reports.formats, coverage_tasks.combined.combine, coverage_tasks.results.results"
    answer = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", reports],
        env={"PYTHONPATH": str(TOOL / "scripts")}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in answer.stderr.splitlines() if line.startswith("import time:")}
    assert "coverage_tasks.combined.origins" in loaded
    wrong = {name for name in loaded if name in ("honcho", "tarfile") or name.startswith("coverage_tasks.runtimes")}
    assert not wrong, f"reports load {min(wrong)}: reports are made where no service can be run"
