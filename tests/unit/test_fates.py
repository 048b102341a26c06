"""What became of a container, as findings: none that another known fact rules out."""

import pytest

from coverage_tasks.combined.places import is_idle, never_started, of_places, of_stops
from coverage_tasks.recorded.sightings import Place, Sighting

STOPPED = {"told": 50.0, "ended": 51.0}


def place(service="web", started=1.0, **known):
    return Place(f"{service}-1", service, "h", "python", started, **{"exit_code": 0, **known})


def kinds(*places, may_end=()):
    return {finding.kind: finding for finding in (*of_places(places, may_end), *of_stops(places))}


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ({"exit_code": 137, "oom_killed": True, "ended": 9.0}, "out-of-memory"),
        ({"exit_code": 137, **STOPPED}, "grace-period"),
        ({"exit_code": 137, "cut_short": True, "ended": 9.0}, "killed"),
        ({"exit_code": 137, "cut_short": True, "memory": 1 << 20, **STOPPED}, "out-of-memory"),
        ({"exit_code": 1, "ended": 9.0}, "died"),
        ({"exit_code": 143, "ended": 9.0}, "died"),
        ({"exit_code": 1, "ended": 9.0, "told": 10.0}, "died"),
        ({"exit_code": 1, **STOPPED}, "died"),
        ({"exit_code": -9, "ended": 9.0}, "died"),
        ({"exit_code": 1, "error": "ImportError: no", "ended": 9.0}, "import-error"),
        ({"exit_code": None, "restarts": 3, "failure": 1}, "restart-loop"),
        ({"exit_code": None, "health": "unhealthy", "check": "no curl"}, "unhealthy"),
        ({"exit_code": None, "started": 0}, "never-started"),
    ],
)
def test_what_became_of_it_is_one_finding(known, kind):
    assert list(kinds(place(**known))) == [kind]


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"exit_code": None},
        {"exit_code": -1, "ended": 9.0},  # nobody learned it
        {"exit_code": 143, **STOPPED},
        {"exit_code": 143, "told": 50.002, "ended": 50.0},  # the engine notes a signal after the end it brought about
        {"restarts": 2, "failure": 1},
        {"restarts": 9},  # a job that ends well each time
        {"exit_code": None, "health": "healthy"},
    ],
)
def test_an_ordinary_life_is_none(known):
    assert kinds(place(**known)) == {}


def test_death_is_said_with_its_reason_and_its_time():
    error = "ModuleNotFoundError: No module named 'celery'"
    found = kinds(place(exit_code=1, error=error, ended=9.0))["import-error"]
    assert found.evidence == (
        f"it ended with exit code 1 ({error}) 8 s after its start, before it was stopped: what it executed is what it "
        "did until then"
    )
    assert not found.note


def test_one_that_may_end_is_a_note_without_a_remedy():
    found = kinds(place(exit_code=1, ended=9.0), may_end=["web"])["died"]
    assert (found.note, found.remedy) == (True, "")


def test_one_that_was_never_started_names_what_it_waited_for_and_why_in_vain():
    job = place("job", exit_code=1, ended=2.0)
    web = place("web", started=0, exit_code=None, waited_for=("db", "job"))
    cron = place("cron", started=0, exit_code=None, waited_for=("web",))
    sentences = {finding.service: finding.sentence for finding in of_places([job, web, cron, place("db")])}
    assert sentences["web"] == (
        "web: it was never started: compose waited for job, which ended with exit code 1: correct job"
    )
    assert (
        sentences["cron"] == "cron: it was never started: compose waited for web, which was never started: correct web"
    )


def test_containers_of_one_service_are_told_apart():
    found = [Place(f"web-{number}", "web", "h", "", 1.0, 1, ended=3.0) for number in (1, 2)]
    assert [finding.evidence.split()[0] for finding in of_places(found)] == ["web-1", "web-2"]


def test_a_service_is_idle_where_other_programs_ran_and_no_python():
    assert is_idle([place(programs=("sleep",))])
    assert not is_idle([place()])  # nobody looked
    assert not is_idle([place(programs=("sh",), seen=(Sighting(1, 1, "python a.py"),))])
    assert not is_idle([])


def test_a_service_was_never_started_when_nothing_of_it_was():
    assert never_started([place(started=0)])
    assert not never_started([place(started=0), place()])
    assert not never_started([])
