import shutil
from pathlib import Path

import pytest
import yaml

from coverage_tasks.errors import TaskError
from coverage_tasks.injection import spy
from coverage_tasks.project import Project
from coverage_tasks.runtimes.compose import overlay, spies
from coverage_tasks.runtimes.compose.names import RESET
from coverage_tasks.runtimes.compose.overlay import render
from coverage_tasks.settings import is_true
from coverage_tasks.sources.images import Image, Interpreter
from coverage_tasks.sources.repository import digest_of
from coverage_tasks.sources.services import Service

INTERPRETER = Interpreter("/usr/local/bin/python3.13", "3.13", ".cpython-313-x86_64-linux-gnu.so")
SOURCE = b"ORDERS = []\n"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/main.py").write_bytes(SOURCE)
    return Project(tmp_path, "compose", (tmp_path / "deploy/compose.yml", tmp_path / "other.yml"))


def service(name="orders", files=("/app/main.py",), environment=None, sites=(), **values):
    image = Image(
        content="c1",
        name=f"shop-{name}",
        environment=environment or {},
        workdir="/app",
        user="",
        interpreters=(INTERPRETER,),
        files=dict.fromkeys(files, digest_of(SOURCE)),
        sites=tuple(sites),
    )
    return Service(name, image, **{"workdir": "/app", **values})


def entry(project, which, environ=None):
    text = render(project, [which], {which.name: which.image.name}, environ or {})
    return (yaml.safe_load(text)["services"] or {}).get(which.name)


def test_measured_service_gets_the_spy_and_a_place_for_data(project):
    assert entry(project, service()) == {
        "image": "shop-orders",
        "environment": {
            "COVERAGE_ENABLE": "true",
            "COVERAGE_FILE": "/coverage/.coverage.orders",
            "COVERAGE_SOURCE": "/app",
            "COVERAGE_SPY_FILE": "/coverage/.coverage.orders",
            "COVERAGE_SPY_SOURCE": "/app",
            "PYTHONPATH": "/coverage-spy",
        },
        "volumes": [
            {
                "type": "bind",
                "source": f"{project.state}/spy/orders",
                "target": "/coverage-spy",
                "read_only": True,
                "bind": {"create_host_path": False},
            },
            {
                "type": "bind",
                "source": f"{project.state}/journals/orders",
                "target": "/coverage",
                "bind": {"create_host_path": False},
            },
        ],
    }


def test_derived_image_needs_the_data_mount_only(project):
    found = entry(project, service(), {"COVERAGE_SPY_INJECT": "image"})
    assert [volume["target"] for volume in found["volumes"]] == ["/coverage"]


SITE = "/usr/local/lib/python3.13/site-packages"
VENV = "/app/.venv/lib/python3.13/site-packages"


def test_pth_is_mounted_into_every_site_directory_and_no_variable_is_set(project):
    found = entry(project, service(sites=[VENV, SITE], python_path="/opt"), {"COVERAGE_SPY_INJECT": "pth"})
    assert "environment" not in found
    lines = [volume for volume in found["volumes"] if volume["target"].endswith(".pth")]
    assert [volume["target"] for volume in lines] == [f"{VENV}/coverage_spy.pth", f"{SITE}/coverage_spy.pth"]
    assert {volume["source"] for volume in lines} == {f"{project.state}/pth/orders.pth"}
    assert all(volume["read_only"] for volume in lines)
    assert {volume["target"] for volume in found["volumes"]} >= {"/coverage-spy", "/coverage"}


@pytest.mark.parametrize(
    ("sites", "volumes", "mounted"),
    [
        ([], [], []),
        ([VENV, SITE], ["/app"], [f"{SITE}/coverage_spy.pth"]),
        ([VENV], [VENV], []),
    ],
)
def test_pth_is_not_written_into_volumes_and_variables_make_up_for_it(project, sites, volumes, mounted):
    found = entry(project, service(sites=sites, volumes=tuple(volumes)), {"COVERAGE_SPY_INJECT": "pth"})
    assert [volume["target"] for volume in found["volumes"]] == ["/coverage-spy", "/coverage", *mounted]
    assert found["environment"]["PYTHONPATH"] == "/coverage-spy"


def test_pth_carries_the_settings_of_its_service(project):
    environ = {"COVERAGE_SPY_INJECT": "pth", "COVERAGE_BRANCH": "true"}
    overlay._write_lines(project, [service(python_path="/opt"), service("db", measured=False)], environ)
    (written,) = (project.state / "pth").iterdir()
    assert written.name == "orders.pth"
    names = {}
    exec(written.read_text().partition("exec(")[0], names)
    assert names["given"] == {
        "COVERAGE_ENABLE": "true",
        "COVERAGE_FILE": "/coverage/.coverage.orders",
        "COVERAGE_SOURCE": "/app",
        "COVERAGE_BRANCH": "true",
        "COVERAGE_SPY_FILE": "/coverage/.coverage.orders",
        "COVERAGE_SPY_SOURCE": "/app",
        "COVERAGE_SPY_BRANCH": "true",
    }


def test_variables_that_the_application_has_anyway_stay_its_own(project):
    found = entry(project, service(own_variables=frozenset({"COVERAGE_FILE", "COVERAGE_OMIT"})))["environment"]
    assert found == {
        "COVERAGE_ENABLE": "true",
        "COVERAGE_SOURCE": "/app",
        "COVERAGE_SPY_FILE": "/coverage/.coverage.orders",
        "COVERAGE_SPY_SOURCE": "/app",
        "PYTHONPATH": "/coverage-spy",
    }


def test_service_without_python_is_left_alone(project):
    assert entry(project, service("db", measured=False)) is None


def test_service_without_python_that_is_built_keeps_its_image(project):
    # The default name of its image holds the project's name, and the measured project has another.
    assert entry(project, service("proxy", measured=False, builds=True)) == {"image": "shop-proxy"}


@pytest.mark.parametrize(
    ("python_path", "expected"),
    [
        ("", "/coverage-spy"),
        ("/opt/lib", "/coverage-spy:/opt/lib"),
        (":/opt/lib::/b:", "/coverage-spy:/opt/lib:/b"),
        ("/odd$HOME", "/coverage-spy:/odd$$HOME"),
    ],
)
def test_python_path_is_merged_without_empty_components(project, python_path, expected):
    assert entry(project, service(python_path=python_path))["environment"]["PYTHONPATH"] == expected


def test_environment_of_the_service_is_not_copied(project):
    text = render(
        project, [service(environment={"TOKEN": "hush", "PATH": "/secret/bin"})], {"orders": "shop-orders"}, {}
    )
    assert "hush" not in text
    assert "secret" not in text
    assert str(project.root) not in text


@pytest.mark.parametrize(
    ("files", "workdir", "expected"),
    [
        (["/srv/orders/main.py"], "/srv/orders", "/srv/orders"),
        (["/srv/orders/main.py"], "/work", "/srv/orders:/work"),
        (["/srv/orders/main.py"], "/srv", "/srv"),
        (["/srv/orders/main.py"], "/", "/srv/orders"),
        ([], "/work", "/work"),
        ([], "/", None),
    ],
)
def test_source_holds_what_is_mapped_and_the_working_directory(project, files, workdir, expected):
    found = entry(project, service(files=files, workdir=workdir))
    assert found["environment"].get("COVERAGE_SOURCE") == expected


def test_sources_of_the_configuration_are_recorded(project):
    found = entry(project, service(workdir="/work", sources=(("/srv/build", "orders"),)))
    assert found["environment"]["COVERAGE_SOURCE"] == "/app:/srv/build:/work"


def test_installed_code_below_the_working_directory_stays_named(project):
    package = "/app/.venv/lib/python3.13/site-packages/pricing"
    (project.root / "lib/pricing").mkdir(parents=True)
    (project.root / "lib/pricing/tax.py").write_bytes(b"TAX = 7\n")
    which = service(files=["/app/src/main.py"])
    which.image.files[f"{package}/tax.py"] = digest_of(b"TAX = 7\n")
    assert entry(project, which)["environment"]["COVERAGE_SOURCE"] == f"{package}:/app"


def test_settings_are_passed_on_when_asked_for(project):
    environ = {"COVERAGE_BRANCH": "true", "COVERAGE_OMIT": "*/migrations/*", "COVERAGE_SPY_WINDOW": "", "OTHER": "1"}
    found = entry(project, service(), environ)["environment"]
    assert found["COVERAGE_BRANCH"] == "true"
    assert found["COVERAGE_OMIT"] == "*/migrations/*"
    assert not {"COVERAGE_SPY_WINDOW", "OTHER"} & set(found)


def test_every_scalar_is_quoted(project):
    text = render(project, [service("on", python_path="0o17")], {"on": "1.10"}, {"COVERAGE_BRANCH": "yes"})
    assert 'image: "1.10"' in text
    assert 'COVERAGE_BRANCH: "yes"' in text
    assert yaml.safe_load(text)["services"]["on"]["image"] == "1.10"


def test_same_services_give_the_same_text(project):
    services = [service("b"), service("a")]
    images = {"a": "shop-a", "b": "shop-b"}
    assert render(project, services, images, {}) == render(project, services, dict(reversed(images.items())), {})


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), (" ON ", True), ("1", True), ("", False), (None, False), ("no", False)]
)
def test_switch_words(value, expected):
    assert is_true(value) is expected


def test_refuses_an_unknown_way_to_inject(project):
    with pytest.raises(TaskError, match="COVERAGE_SPY_INJECT is 'ptrace': set it to mount, image or pth"):
        entry(project, service(), {"COVERAGE_SPY_INJECT": "ptrace"})


def test_refuses_an_unknown_way_to_mount(project):
    with pytest.raises(TaskError, match="COVERAGE_SPY_MOUNT is 'nfs': set it to auto, bind or volume"):
        overlay.write_overlay(project, {"name": "shop"}, [service()], {"COVERAGE_SPY_MOUNT": "nfs"})


def test_single_files_cannot_travel_in_a_volume(project):
    environ = {"COVERAGE_SPY_MOUNT": "volume", "COVERAGE_SPY_INJECT": "pth"}
    with pytest.raises(TaskError, match=r"=pth mounts single files, .* set it to mount, or to image"):
        overlay.write_overlay(project, {"name": "shop"}, [service()], environ)


def test_volumes_are_declared_and_keep_their_owners_names_beside_them(project):
    names = {"volumes": {"kept": {"name": "other"}}}
    text = render(project, [service()], {"orders": "shop-orders"}, {}, names, "volume")
    found = yaml.safe_load(text)
    assert list(found) == ["services", "volumes"]
    assert found["volumes"] == {
        "kept": {"name": "other"},
        "coverage-spy-data-orders": None,
        "coverage-spy-of-orders": None,
    }
    assert [volume["source"] for volume in found["services"]["orders"]["volumes"]] == [
        "coverage-spy-of-orders",
        "coverage-spy-data-orders",
    ]


def test_names_that_are_reset_are_written_as_compose_reads_them(project):
    names = {"services": {"orders": {"container_name": RESET}}, "networks": {"back": {"name": RESET}}}
    text = render(project, [service()], {"orders": "shop-orders"}, {}, names)
    assert text.count("name: !reset 'null'\n") == 2


def test_procfile_has_no_overlay(project):
    with pytest.raises(TaskError, match="COVERAGE_SPY_RUNTIME=compose"):
        overlay.make_overlay(Project(project.root, "procfile", ()))


def test_copy_of_the_spy_is_named_after_what_it_is_made_of(tmp_path, monkeypatch):
    monkeypatch.setattr(spy, "SPY", tmp_path)
    (tmp_path / "coverage_spy").mkdir()
    (tmp_path / "coverage_spy/journal.py").write_text("KIND = 1\n")
    (tmp_path / "tracer.so").write_bytes(b"1")
    key = spy.key_of("image", [])
    assert spy.key_of("image", []) == key
    (tmp_path / "coverage_spy/notes.txt").touch()
    assert spy.key_of("image", []) == key
    (tmp_path / "coverage_spy/journal.py").write_text("KIND = 2\n")
    keys = {key, spy.key_of("image", []), spy.key_of("another", []), spy.key_of("image", [tmp_path / "tracer.so"])}
    assert len(keys) == 4


def test_copy_of_the_spy_holds_what_is_ours_and_stands_when_it_is_complete(tmp_path):
    (tmp_path / "tracer.so").touch()
    with spy.new_copy(tmp_path / "copies/key", [tmp_path / "tracer.so"]) as directory:
        assert not (tmp_path / "copies/key").exists()
    found = {path.relative_to(tmp_path / "copies/key") for path in (tmp_path / "copies/key").rglob("*.*")}
    assert found == {*spy.sources(), Path("payload/tracer.so")}
    assert directory.name == "spy"
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["key"]


def test_copy_that_another_task_removes_while_it_is_copied_is_made_again(tmp_path, project, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(spies, "_compile", lambda image, directory: (directory / "compiled").touch())

    def copy_half(_, target):
        target.mkdir()
        raise shutil.Error("gone")

    monkeypatch.setattr(shutil, "copytree", copy_half)
    spies.prepare_spies(project, [service()], {})
    mounted = spies.spy_of(project, "orders")
    found = {path.relative_to(mounted) for path in mounted.rglob("*.*")}
    assert found == {*spy.sources()}
    assert (mounted / "compiled").exists()
    assert [path.name for path in (project.state / "spies").iterdir()] == [mounted.resolve().name]


def test_bytecode_that_is_taken_is_that_of_our_modules():
    assert "coverage_spy/__pycache__/journal.cpython-312.pyc" in spy.bytecode_names("3.12")
    assert "coverage_spy/__pycache__/journal.cpython-311.pyc" not in spy.bytecode_names("3.12")


def test_spy_can_be_read_by_any_user(tmp_path):
    (tmp_path / "package").mkdir(mode=0o700)
    (tmp_path / "package/module.py").touch(mode=0o600)
    spy.let_everybody_read(tmp_path / "package")
    assert (tmp_path / "package").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "package/module.py").stat().st_mode & 0o777 == 0o644
