"""Sources that are newer than the Python of the report."""

import json
import os
import sys
from pathlib import Path

import pytest
from machine import INTERPRETERS, number
from template import BIN, WAIT_FOR, copy_template, run

# What each version can read first.
SYNTAX = {"3.12": "type Name = str", "3.13": "type Name[T = str] = T", "3.14": "t''", "3.15": "lazy import os"}
NEWER = [version for version in INTERPRETERS if version in SYNTAX and number(version) > sys.version_info[:2]]


def all_but(name, place, made):
    """The place, or `made` with all of its commands but `name`: it may be the one with the system's own."""
    if not (place / name).exists():
        return place
    for command in place.iterdir():
        if command.name != name:
            (made / command.name).symlink_to(command)
    return made


@pytest.mark.skipif(not NEWER, reason="no newer Python than this one")
def test_are_read_with_the_python_of_their_service_and_the_finding_names_it_where_there_is_none(
    tmp_path, tmp_path_factory
):
    version = NEWER[-1]
    python = Path(INTERPRETERS[version])
    places = [
        all_but(f"python{version}", Path(place), tmp_path_factory.mktemp("bin"))
        for place in os.environ["PATH"].split(os.pathsep)
    ]
    without, path = (os.pathsep.join(map(str, [BIN, *more, *places])) for more in ([], [python.parent]))
    copy_template(tmp_path)
    (tmp_path / "Procfile").write_text(f"new: exec {python} new.py\n")
    (tmp_path / "new.py").write_text(f"import time\n{SYNTAX[version]}\ntime.sleep(600)\n")
    wait = (*WAIT_FOR, "new.py")
    environ = {"COVERAGE_SPY_RUNTIME": "procfile"}
    answer = run("nox", "-s", "coverage", "--", *wait, cwd=tmp_path, PATH=without, **environ)
    assert f": make python{version} available on PATH, the Python of its service" in answer.stdout
    said = run("nox", "-s", "coverage", "--", *wait, cwd=tmp_path, PATH=path, **environ).stdout
    assert "new.py is newer than Python " in said
    assert executed(tmp_path) == {"new.py": [1, 2, 3]}
    said = run("nox", "-s", "analyze-coverage", "--", "-q", "--json", cwd=tmp_path, PATH=path, **environ)
    assert json.loads(said.stdout)["totals"]["executed"] == 3
    said = run("nox", "-s", "coverage", "--", "false", cwd=tmp_path, check=1, PATH=path, **environ).stdout
    assert "new.py is newer than Python " in said
    (tmp_path / "coverage.json").unlink()
    run("nox", "-s", "coverage-json", cwd=tmp_path, NOXFORCEPYTHON=version, PATH=path, **environ)
    assert executed(tmp_path) == {"new.py": [1, 2, 3]}


def executed(root):
    files = json.loads((root / "coverage.json").read_text())["files"]
    return {path: found["executed_lines"] for path, found in files.items()}
