"""Other tools that get into an interpreter by its environment, as real packages: nothing is lost beside them.

The packages are pinned and kept in .nox/faults-environments.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from machine import INTERPRETERS, ROOT, number

FAULTS = Path(__file__).resolve().parent
# One of each engine.
VERSIONS = ("3.11", max((version for version in INTERPRETERS if number(version) >= (3, 12)), key=number, default=None))


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_lost_and_nothing_altered_beside_other_injectors(version):
    if version not in INTERPRETERS:
        pytest.skip("there is no such Python here")
    paths = os.pathsep.join(map(str, (ROOT / "scripts", ROOT / "tests", FAULTS)))
    result = subprocess.run(
        [sys.executable, FAULTS / "runner.py", "--only", "injectors/*", "--python", version, "--no-coverage"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
