"""Sources that are newer than the Python of the report."""

import json
import os
import sys
from pathlib import Path

import pytest
from machine import INTERPRETERS, number
from template import BIN, copy_template, run

# What each version can read first.
SYNTAX = {"3.12": "type Name = str", "3.13": "type Name[T = str] = T", "3.14": "t''", "3.15": "lazy import os"}
NEWER = [version for version in INTERPRETERS if version in SYNTAX and number(version) > sys.version_info[:2]]


@pytest.mark.skipif(not NEWER, reason="no newer Python than this one")
def test_the_finding_names_the_python_that_reads_them_and_nox_takes_it(tmp_path):
    version = NEWER[-1]
    python = Path(INTERPRETERS[version])
    path = os.pathsep.join([str(BIN), str(python.parent), os.environ["PATH"]])
    copy_template(tmp_path)
    (tmp_path / "Procfile").write_text(f"new: exec {python} new.py\n")
    (tmp_path / "new.py").write_text(f"import time\n{SYNTAX[version]}\ntime.sleep(600)\n")
    wait = ("python3", "-c", "import time; time.sleep(1)")
    said = run("nox", "-s", "coverage", "--", *wait, cwd=tmp_path, check=1, COVERAGE_SPY_RUNTIME="procfile")
    assert f"; set NOXFORCEPYTHON={version} to report with the Python of its service" in said.stdout + said.stderr
    run(
        "nox", "-s", "coverage-report", cwd=tmp_path, NOXFORCEPYTHON=version, PATH=path, COVERAGE_SPY_RUNTIME="procfile"
    )
    report = json.loads((tmp_path / "coverage.json").read_text())
    assert report["files"]["new.py"]["executed_lines"] == [1, 2, 3]
