"""coverage-spy.yml: what it may say, and what is refused with its line and a remedy."""

import re

import pytest
from journal_files import Run
from machine import ROOT

from coverage_tasks.combined.combine import combine
from coverage_tasks.configuration import Configuration, Thresholds, read_configuration
from coverage_tasks.errors import TaskError
from coverage_tasks.project import Project
from coverage_tasks.runtimes.compose.services import _configured
from coverage_tasks.sources.services import Service


@pytest.fixture
def write(tmp_path):
    (tmp_path / "services/orders").mkdir(parents=True)

    def write(text):
        (tmp_path / "coverage-spy.yml").write_text(text)
        return tmp_path

    return write


def test_nothing_said_is_nothing_set(write, tmp_path):
    assert read_configuration(tmp_path) == Configuration()
    assert read_configuration(write("")) == Configuration()
    assert read_configuration(write("# test: pytest\n")) == Configuration()


def test_all_that_can_be_said(write):
    found = read_configuration(
        write(
            "test: pytest -k 'a b'\n"
            "leave-out: [db, worker]\n"
            "sources:\n  orders:\n    /app/: services//orders\n    /srv: .\n  db: {}\n"
            "thresholds:\n  total: 80\n  services: {orders: 85.5}\n  paths: {'libs/**': 0}\n  patch: 100\n"
            "  compare-branch: develop\n  unknown: 3\n  tolerance: 0.25\n"
        )
    )
    assert found.test == ("pytest", "-k", "a b")
    assert found.leave_out == {"db", "worker"}
    assert found.sources == {"orders": (("/app", "services/orders"), ("/srv", ".")), "db": ()}
    assert found.thresholds == Thresholds(80, {"orders": 85.5}, {"libs/**": 0}, 100, "develop", 3, 0.25)


def test_a_list_of_words_is_a_command_as_it_stands(write):
    assert read_configuration(write("test: [pytest, 'a b', \"-k$x\"]\n")).test == ("pytest", "a b", "-k$x")


def test_the_example_in_the_documentation_can_be_said(write):
    page = (ROOT / "docs" / "settings.md").read_text()
    found = read_configuration(write(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1)))
    assert (found.test, found.leave_out) == (("pytest", "tests/e2e"), {"load-generator"})
    assert found.sources == {"orders": (("/app", "services/orders"),)}
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [
        *("test", "leave-out", "may-end", "ready", "sources", "reports", "thresholds")
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tests: pytest\n", "line 1: there is no setting 'tests': did you mean test?"),
        ("test: a\nleave_out: [b]\n", "line 2: there is no setting 'leave_out': did you mean leave-out?"),
        (
            "zebra: 1\n",
            "line 1: there is no setting 'zebra': known are leave-out, may-end, ready, reports, sources, test, "
            "thresholds",
        ),
        ("reports: ../elsewhere\n", "line 1: ../elsewhere is not in the repository: give a path below {root}"),
        ("reports: /tmp\n", "line 1: /tmp is not in the repository: give a path below {root}"),
        ("ready: {web: 0}\n", "line 1: ready of web is 0: make it a port from 1 to 65535"),
        ("ready: {web: {a: b}}\n", "line 1: ready of web has a mapping where a port, an address, or a command belongs"),
        ("ready: [web]\n", "line 1: ready is a list: make it a mapping of ports, addresses and commands"),
        ("test: a\n\ntest: b\n", "line 3: test is there twice: remove one"),
        ("- test\n", "line 1: the file is a list: make it a mapping of settings"),
        ("pytest\n", "line 1: the file is 'pytest': make it a mapping of settings"),
        ("1: pytest\n", "line 1: the file has '1' where text belongs: write it as such, in quotes"),
        ("test: {a: b}\n", "line 1: test has a mapping where a command or a list of its words belongs"),
        ("test: 7\n", "line 1: test has '7' where a command or a list of its words belongs"),
        ("test:\n", "line 1: test has nothing where a command or a list of its words belongs"),
        ("test: [pytest,\n  -n,\n  2]\n", "line 3: test has '2' where text belongs: write it as such, in quotes"),
        ("test: pytest 'a\n", "line 1: test cannot be split into words (No closing quotation): correct its quotes"),
        ("test: ''\n", "line 1: test is empty: give it a command, or remove it"),
        ("test: []\n", "line 1: test is empty: give it a command, or remove it"),
        ("leave-out: db\n", "line 1: leave-out is 'db': make it a list of services"),
        ("leave-out:\n", "line 1: leave-out is nothing: make it a list of services"),
        ("leave-out:\n  - [db]\n", "line 2: leave-out has a list where text belongs: write it as such"),
        ("sources: [orders]\n", "line 1: sources is a list: make it a mapping of services"),
        ("sources:\n  orders: /app\n", "line 2: sources of orders is '/app': make it a mapping of container paths"),
        ("sources:\n  orders:\n    app: services\n", "line 3: 'app' is no path in a container: let it begin with /"),
        (
            "sources:\n  orders:\n    /app: 7\n",
            "line 3: sources has '7' where text belongs: write it as such, in quotes",
        ),
        (
            "sources:\n  orders:\n    /app: service\n",
            "line 3: service does not exist in {root}: correct it, or remove it",
        ),
        ("sources: {orders: {/app: ../x}}\n", "line 1: ../x is not in the repository: give a path below {root}"),
        ("sources: {orders: {/app: /tmp}}\n", "line 1: /tmp is not in the repository: give a path below {root}"),
        ("test: a\nsources: [\n", "line 3: it is no YAML (expected the node content, but found '<stream end>')"),
        ("a: 1\n---\nb: 2\n", "line 2: it is no YAML (but found another document): correct it"),
        ("thresholds: 80\n", "line 1: thresholds is '80': make it a mapping of numbers"),
        ("thresholds:\n  totl: 80\n", "line 2: there is no threshold 'totl': did you mean total?"),
        ("thresholds:\n  total: 80 %\n", "line 2: thresholds.total is '80 %': make it a percentage from 0 to 100"),
        ("thresholds:\n  total: 101\n", "line 2: thresholds.total is '101': make it a percentage from 0 to 100"),
        ("thresholds: {patch: -1}\n", "line 1: thresholds.patch is '-1': make it a percentage from 0 to 100"),
        ("thresholds: {patch: .nan}\n", "line 1: thresholds.patch is '.nan': make it a percentage from 0 to 100"),
        ("thresholds: {patch: 1:30}\n", "line 1: thresholds.patch is '1:30': make it a percentage from 0 to 100"),
        ("thresholds: {total: }\n", "line 1: thresholds.total is nothing: make it a percentage from 0 to 100"),
        ("thresholds: {total: true}\n", "line 1: thresholds.total is 'true': make it a percentage from 0 to 100"),
        ("thresholds: {unknown: 1.5}\n", "line 1: thresholds.unknown is 1.5: make it a number of files"),
        ("thresholds: {unknown: .inf}\n", "line 1: thresholds.unknown is '.inf': make it a number of files"),
        ("thresholds:\n  services: 80\n", "line 2: thresholds.services is '80': make it a mapping of percentages"),
        ("thresholds:\n  paths:\n    a: b\n", "line 3: thresholds.paths is 'b': make it a percentage from 0 to 100"),
        ("thresholds: {compare-branch: [a]}\n", "line 1: thresholds.compare-branch has a list where a branch belongs"),
        ("test: !python/object:os.system x\n", "line 1: test has 'x' where a command or a list of its words belongs"),
    ],
)
def test_refuses_what_it_cannot_take_and_says_where(write, text, sentence):
    root = write(text)
    with pytest.raises(TaskError) as error:
        read_configuration(root)
    assert str(error.value).startswith("coverage-spy.yml, " + sentence.replace("{root}", str(root)))


@pytest.mark.parametrize("content", [b"test: \xff\n", b"test: \0\n", b"[" * 100_000])
def test_refuses_what_is_no_text(tmp_path, content):
    (tmp_path / "coverage-spy.yml").write_bytes(content)
    with pytest.raises(TaskError, match=r"coverage-spy\.yml cannot be read \(.+\): correct it"):
        read_configuration(tmp_path)


def test_refuses_what_nobody_writes_by_hand(tmp_path):
    (tmp_path / "coverage-spy.yml").write_text("thresholds:\n  paths:\n" + f"    {'*a' * 24}b: 80\n" * 20_000)
    with pytest.raises(TaskError, match=r"coverage-spy\.yml has more than \d+ bytes: put a smaller file in its place"):
        read_configuration(tmp_path)


def test_refuses_a_directory_in_its_place(tmp_path):
    (tmp_path / "coverage-spy.yml").mkdir()
    with pytest.raises(TaskError, match="is a directory: put a file in its place"):
        read_configuration(tmp_path)


def test_a_file_that_is_nearly_named_right_is_not_passed_over(tmp_path):
    (tmp_path / "coverage-spy.yaml").write_text("test: a\n")
    with pytest.raises(TaskError, match=r"coverage-spy\.yaml is not read: rename it to coverage-spy\.yml"):
        read_configuration(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("leave-out:\n  - orders\n  - ordesr\n", "line 3: there is no service 'ordesr': did you mean orders?"),
        ("sources:\n  oders: {}\n", "line 2: there is no service 'oders': did you mean orders?"),
        ("thresholds:\n  services: {oders: 5}\n", "line 2: there is no service 'oders': did you mean orders?"),
        ("leave-out: [zebra]\n", "line 1: there is no service 'zebra': known are db, idle, orders, worker"),
    ],
)
def test_refuses_a_service_that_nobody_has(write, text, sentence):
    root = write(text)
    with pytest.raises(TaskError) as error:
        read_configuration(root).require_services(["orders", "db"], defining(root))
    assert str(error.value) == f"coverage-spy.yml, {sentence}"


def defining(root):
    """A project that has a service of a profile besides, and a Procfile."""
    (root / "compose.yml").write_text("services:\n  orders: {}\n  idle: {profiles: [x], image: !reset null}\n")
    (root / "Procfile").write_text("worker: python3 worker.py\n")
    return Project(root, "compose", (root / "compose.yml",))


def test_a_service_that_is_not_active_now_may_be_named(write):
    root = write("leave-out: [idle, worker]\n")
    read_configuration(root).require_services(["orders", "db"], defining(root))


def test_a_service_that_is_left_out_is_not_measured_whatever_it_is():
    found = _configured(Service("db", None), Configuration(leave_out=frozenset({"db"})))
    assert (found.measured, found.reason) == (False, "left out in coverage-spy.yml")
    found = _configured(Service("db", None, measured=False, reason="its image has no CPython"), Configuration())
    assert (found.measured, found.reason) == (False, "its image has no CPython")


# What `sources` means for the reports.

CODE = "a = 1\nb = 2\n"


@pytest.fixture
def twins(tmp_path):
    """Two directories with the same file, so that no vote can tell which one is in the image of orders."""
    run = Run(tmp_path, {"services/orders/main.py": CODE, "services/orders_v2/main.py": CODE})
    run.service("orders", {"/app/main.py": CODE.encode()})
    run.lines("orders", {"/app/main.py": (CODE.encode(), [1])})
    return run


def test_sources_decide_where_the_vote_is_a_draw(twins):
    assert combine(twins.project).services["orders"].unmapped
    (twins.project.root / "coverage-spy.yml").write_text("sources: {orders: {/app: services/orders_v2}}\n")
    orders = combine(twins.project).services["orders"]
    assert (orders.files, orders.unmapped) == (["services/orders_v2/main.py"], {})


def test_sources_beat_the_vote_and_paint_nothing_that_did_not_run(twins):
    (twins.project.root / "services/orders_v2/main.py").write_text("other = 1\n")
    assert combine(twins.project).services["orders"].files == ["services/orders/main.py"]
    (twins.project.root / "coverage-spy.yml").write_text("sources: {orders: {/app: services/orders_v2}}\n")
    orders = combine(twins.project).services["orders"]
    assert list(orders.unknown) == ["services/orders_v2/main.py"]
    assert orders.files == []


def test_a_file_of_the_image_that_has_drifted_is_unknown_with_sources_too(twins):
    root = twins.project.root
    (root / "services/orders_v2/idle.py").write_text("new = 1\n")
    twins.service("orders", {"/app/main.py": CODE.encode(), "/app/idle.py": b"old = 1\n"})
    (root / "coverage-spy.yml").write_text("sources: {orders: {/app: services/orders_v2}}\n")
    orders = combine(twins.project).services["orders"]
    assert orders.files == ["services/orders_v2/main.py"]
    assert list(orders.unknown) == ["services/orders_v2/idle.py"]


def test_sources_of_a_process_that_runs_a_copy(tmp_path):
    run = Run(tmp_path, {"services/orders/main.py": CODE}, "procfile")
    run.service("orders")
    run.lines("orders", {"/srv/build/main.py": (CODE.encode(), [1, 2])})
    assert combine(run.project).services["orders"].unmapped
    (tmp_path / "coverage-spy.yml").write_text("sources: {orders: {/srv/build: services/orders}}\n")
    orders = combine(run.project).services["orders"]
    assert (orders.files, orders.unmapped) == (["services/orders/main.py"], {})


def test_a_report_refuses_a_service_that_nobody_has(twins):
    (twins.project.root / "coverage-spy.yml").write_text("sources: {order: {/app: services}}\n")
    with pytest.raises(TaskError, match="there is no service 'order': did you mean orders"):
        combine(twins.project)
