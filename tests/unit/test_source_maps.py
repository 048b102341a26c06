"""coverage-sources: the map of each service with its reasons, of what ran."""

import json
from argparse import Namespace

import pytest
from journal_files import Run

from coverage_tasks.errors import TaskError
from coverage_tasks.tasks.sources import sources as show

FILES = {"orders/main.py": "a = 1\n", "orders/idle.py": "x = 1\n", "orders/api.py": "api = 1\n", "libs/log.py": "log\n"}
FLASK = "/usr/local/lib/python3.12/site-packages/flask/app.py"


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, FILES)
    image = {"/app/main.py": b"a = 1\n", "/app/idle.py": b"x = 1\n", "/app/api.py": b"old = 1\n", FLASK: b"flask"}
    run.service("orders", image | {"/usr/share/gdb/a.py": b"gdb"}, binds=[["/opt/log", "libs"]])
    run.service("db", measured=False, interpreters=[])
    made = {"/app/made.py": (b"made = 1\n", [1]), "/opt/log/log.py": (b"log\n", [1]), FLASK: (b"flask", [1])}
    run.lines("orders", {"/app/main.py": (b"a = 1\n", [1]), **made})
    return run


def printed(run, capsys, *services, as_json=False):
    show(run.project, Namespace(services=list(services), json=as_json))
    return capsys.readouterr().out


def test_json_says_where_each_file_comes_from_and_why(run, capsys):
    page = json.loads(printed(run, capsys, as_json=True))
    assert (page["version"], page["ran"], list(page["services"])) == (1, True, ["db", "orders"])
    orders = page["services"]["orders"]
    assert [(root["container"], root["repository"], root["by"]) for root in orders["roots"]] == [
        ("/opt/log", "libs", "bind"),
        ("/app", "orders", "content"),
    ]
    assert orders["source"] == ["/app", "/opt/log"]
    assert orders["files"] == {
        "/app/idle.py": "orders/idle.py",
        "/app/main.py": "orders/main.py",
        "/opt/log/log.py": "libs/log.py",
    }
    assert orders["drifted"]["/app/api.py"]["path"] == "orders/api.py"
    assert orders["unmapped"] == {"/app/made.py": "it is only in the container"}
    assert orders["elsewhere"] == 2
    assert orders["ran"] == ["/app/made.py", "/app/main.py", "/opt/log/log.py"]
    assert (orders["processes"], page["services"]["db"]["roots"]) == (1, [])


def test_text_says_it_in_lines(run, capsys):
    assert printed(run, capsys, "orders").splitlines() == [
        "orders: image orders, 1 process",
        "  /opt/log  libs    a bind mount",
        "  /app      orders  2 of its files by content",
        "  COVERAGE_SOURCE=/app:/opt/log",
        "  mapped: 3, of which 2 ran",
        "  drifted: /app/api.py is orders/api.py: the source that ran is another one: rebuild the image, or check out "
        "what it was built from",
        "  not mapped: /app/made.py (ran): it is only in the container",
        "  elsewhere: 2 that are nobody's here, installed libraries among them",
    ]


def test_what_the_configuration_says_is_the_reason(run, capsys):
    (run.project.root / "coverage-spy.yml").write_text("sources: {orders: {/usr/share/gdb: libs}}\n")
    assert "/usr/share/gdb  libs    coverage-spy.yml" in printed(run, capsys)


def test_a_service_that_there_is_not_is_refused(run, capsys):
    with pytest.raises(TaskError, match="there is no service order: name one of db, orders"):
        printed(run, capsys, "order")


def test_hostile_names_do_not_reach_the_terminal(run, capsys):
    run.lines("orders", {"/app/\x1b]0;x.py": (b"a = 3\n", [1])})
    assert "\x1b" not in printed(run, capsys)


def test_a_procfile_has_a_map_before_anything_ran(tmp_path, capsys):
    run = Run(tmp_path, FILES, "procfile")
    (tmp_path / "docker-compose.yml").write_text("orders: python3 orders/main.py\n")  # the file that `Run` names
    assert printed(run, capsys).splitlines()[:3] == [
        "orders: 0 processes",
        f"  {tmp_path}  .  the service runs on the repository itself",
        f"  COVERAGE_SOURCE={tmp_path}",
    ]
