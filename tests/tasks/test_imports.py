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
