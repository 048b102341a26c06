"""Receipts are checked against what the engine saw."""

import pytest

from coverage_tasks.recorded.processes import Process, _silent
from coverage_tasks.recorded.sightings import Place, Sighting
from coverage_tasks.runtimes.ps import _seconds


def process(pid, started, host="h"):
    return Process(str((pid, started)), "", host, pid, "3.12.1", "monitor", started, 1, "complete")


def place(*seen, started=100.0, host="h"):
    return Place("web-1", "web", host, "sh", started, None, seen=seen)


def silent(known, *places):
    return [(found.place, found.pid, found.command) for found in _silent(known, places)]


def test_a_receipt_of_the_same_pid_vouches_for_a_process():
    assert silent([process(7, 100.5)], place(Sighting(7, 100, "python a.py"))) == []
    assert silent([process(7, 100.5)], place(Sighting(8, 100, "python b.py"))) == [("web-1", 8, "python b.py")]


def test_a_pid_that_was_used_before_does_not():
    known = [process(7, 100.5), process(1, 100.5)]
    assert silent(known, place(Sighting(7, 150, "python a.py"))) == [("web-1", 7, "python a.py")]


def test_a_place_that_was_restarted_has_the_same_pid_again():
    both = place(Sighting(1, 100, "python a.py"), Sighting(1, 103, "python a.py"), started=103.0)
    assert silent([process(1, 100.5), process(1, 103.5)], both) == []
    assert silent([process(1, 103.5)], both) == [("web-1", 1, "python a.py")]


def test_a_process_that_becomes_another_program_sends_a_receipt_for_each():
    both = place(Sighting(1, 100, "python a.py"), Sighting(1, 101, "python b.py"))
    assert silent([process(1, 100.5), process(1, 150.5)], both) == []


def test_receipts_match_by_time_without_pids():
    two = (Sighting(0, 100, "python a.py"), Sighting(0, 120, "python b.py"))
    assert silent([process(7, 100.5), process(8, 120.5)], place(*two)) == []
    assert silent([process(7, 100.5), process(8, 100.6)], place(*two)) == [("web-1", 0, "python b.py")]


def test_a_place_without_any_receipt_is_named_with_its_command():
    assert silent([], place()) == [("web-1", 0, "sh")]


def test_a_place_that_was_restarted_needs_a_receipt_since_then():
    assert silent([process(1, 100.5)], place(started=200.0)) == [("web-1", 0, "sh")]


def test_other_host_name_takes_what_is_unclaimed():
    other = Place("web-2", "web", "i", "sh", 100.0, None)
    assert silent([process(1, 100.5, "machine"), process(1, 100.5, "i")], place(), other) == []


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        ("00:07", 7),
        ("01:02:03", 3723),
        ("2-00:00:01", 172801),
        ("4.936778293s", 4),
        ("936.783278ms", 0),
        ("1m2.3s", 62),
        ("26h0m3s", 93603),
    ],
)
def test_ages_are_read_as_ps_and_podman_write_them(age, seconds):
    assert _seconds(age) == seconds
