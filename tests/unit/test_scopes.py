"""What a process could record, as the host takes it: the same as the spy does."""

import pytest

from coverage_spy import scope as spy
from coverage_spy.settings import Settings
from coverage_tasks.recorded.scopes import LONGEST, Scope

SITE = "/usr/local/lib/python3.12/site-packages"
PATHS = [
    "/app/main.py",
    "/app/x/old.py",
    "/application/a.py",
    f"{SITE}/pricing/tax.py",
    f"{SITE}/flask/app.py",
    "/bin/serve",
]
PATHS += ["/app/venv/lib/python3/dist-packages/six.py"]


@pytest.mark.parametrize("source", ["", "/app", "/app:/bin/serve", f"/app:{SITE}/pricing", "/", "/app/main.py", SITE])
@pytest.mark.parametrize("omit", ["", "*/old.py", "/app/x/*:*/tax.py", "[!/]*"])
@pytest.mark.parametrize("path", PATHS)
def test_the_spy_records_what_the_host_takes_it_to(source, omit, path):
    settings = Settings({"COVERAGE_SOURCE": source, "COVERAGE_OMIT": omit})
    scope = Scope.of({"source": settings.source, "omit": settings.omit})
    assert scope is not None
    assert scope.records(path) is (spy.Scope(settings).measured(path) is not None)


def test_a_source_that_is_a_link_is_where_it_leads():
    scope = Scope(("/srv/current",), ())
    assert scope.records("/srv/v1/a.py", lambda path: path.replace("current", "v1"))
    assert not scope.records("/srv/v1/a.py")


def test_a_path_of_a_process_under_another_locale_is_that_path():
    scope = Scope.of({"source": ["/gr\udcc3\udcb6\udcc3\udc9fe"], "omit": []})
    assert scope is not None
    assert scope.records("/größe/a.py")
    assert Scope.of({"source": ["/\ud800"], "omit": []}) is None


@pytest.mark.parametrize("settings", [{}, {"source": []}, {"source": 1, "omit": []}, {"source": [1], "omit": []}])
def test_of_settings_that_nobody_can_read_nothing_is_known(settings):
    assert Scope.of(settings) is None
    assert Scope.of({"source": ["/" * LONGEST], "omit": ["/"]}) is None


@pytest.mark.parametrize("source", ["", "/usr", f"{spy.STANDARD_LIBRARY}json", spy.STANDARD_LIBRARY])
def test_the_standard_library_is_measured_only_where_a_source_leads_into_it(source):
    scope = spy.Scope(Settings({"COVERAGE_SOURCE": f"{spy.STANDARD_LIBRARY.split('/lib/')[0]}:{source}"}))
    inside = source.startswith(spy.STANDARD_LIBRARY.rstrip("/"))
    assert (scope.measured(f"{spy.STANDARD_LIBRARY}json/decoder.py") is not None) is inside
