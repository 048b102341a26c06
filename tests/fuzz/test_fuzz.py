"""The fuzzer, on some inputs: it finds nothing wrong, and finds what is."""

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest
from fuzz import __main__ as fuzz
from fuzz import checks
from fuzz.model import claims_of
from machine import INTERPRETERS, number

from coverage_tasks.combined import combine, findings
from coverage_tasks.recorded import journals

pytestmark = pytest.mark.skipif(not INTERPRETERS, reason="no CPython but those of virtual environments")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    root = tmp_path_factory.mktemp("fuzz")
    return root, fuzz.record(root, [max(INTERPRETERS, key=number)])


@pytest.fixture
def fuzzer(recorded: tuple[Path, list[bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fuzz.Fuzzer:
    monkeypatch.setattr(fuzz, "SHRINK", 0.5)
    # How fast a file is read says something of the machine, too: speed/test_journals.py counts what it costs.
    monkeypatch.setattr(checks, "SLOW", math.inf)
    monkeypatch.setattr(checks, "HANG", 600)
    return fuzz.Fuzzer(*recorded, random.Random(1), tmp_path / "saved")


def test_what_the_spy_writes_is_all_readable(fuzzer: fuzz.Fuzzer) -> None:
    claims = [claims_of(seed) for seed in fuzzer.seeds]
    assert not any(found.unreadable for found in claims)
    assert any(found.orphaned for found in claims)
    assert any(found.receipt["parent"] for found in claims)
    assert any(found.receipt["segment"] == 1 and found.lines for found in claims)


def test_finds_nothing_wrong(fuzzer: fuzz.Fuzzer) -> None:
    fuzzer.run(math.inf, inputs=2000)
    assert fuzzer.wrong == {}
    assert (fuzzer.inputs, fuzzer.directories) == (2000, 2)
    assert len(fuzzer.corpus) > len(fuzzer.seeds)
    assert fuzzer.missed is None or len(fuzzer.missed) < 20


def claims_a_line(journal: journals.Journal) -> journals.Journal:
    return replace(journal, lines={**journal.lines, "/a.py": {1}})


def forgets_an_orphan(journal: journals.Journal) -> journals.Journal:
    return replace(journal, receipt=replace(journal.receipt, refusals=()))


def crashes(journal: journals.Journal) -> journals.Journal:
    raise OverflowError(journal.path)


def hangs(_: journals.Journal) -> journals.Journal:
    while True:
        pass


def refuses(journal: journals.Journal) -> journals.Journal:
    raise journals.JournalError("foreign", str(journal.path), "nothing")


def refuses_namelessly(_: journals.Journal) -> journals.Journal:
    raise journals.JournalError("foreign", "a file", "nothing")


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (claims_a_line, "says something else in lines"),
        (forgets_an_orphan, "says something else in receipt"),
        (crashes, "raises OverflowError"),
        (hangs, "raises Hang"),
        (refuses, "reads what is none, or refuses what is one"),
        (refuses_namelessly, "names no file"),
    ],
)
def test_finds_a_reader_that(
    fuzzer: fuzz.Fuzzer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spoil: object, what: str
) -> None:
    read = journals.read_journal
    monkeypatch.setattr(journals, "read_journal", lambda path, early=0: spoil(read(path, early)))
    if spoil is hangs:
        monkeypatch.setattr(checks, "HANG", 0.2)
    fuzzer.run(math.inf, inputs=len(fuzzer.seeds))
    assert list(fuzzer.wrong) == [what]
    (saved,) = (fuzzer.save / "0").iterdir()
    assert 16 < saved.stat().st_size <= max(map(len, fuzzer.seeds))
    again = tmp_path / "again"
    again.mkdir()
    assert fuzz.check_again(again, [saved.read_bytes()]) == 1


def test_finds_reports_that_do_not_name_the_damage(fuzzer: fuzz.Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combine, "damage_of", lambda _, errors: findings.damage_of([], errors))
    fuzzer.run(math.inf, inputs=len(fuzzer.seeds) + 10, per_directory=5)
    assert list(fuzzer.wrong) == ["reports do not name the damage"]
