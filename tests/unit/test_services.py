from collections.abc import Mapping
from dataclasses import replace

import pytest

from coverage_tasks.project import Project
from coverage_tasks.runtimes.compose import services
from coverage_tasks.sources.images import Image, Interpreter
from coverage_tasks.sources.repository import digest_of

IMAGE = Image("sha256:1", "shop-orders", {"PATH": "/bin"}, "/app", "", (), {"/app/main.py": digest_of(b"")})


@pytest.mark.parametrize(
    ("versions", "reason"),
    [
        ([], "its image has no CPython"),
        (["2.7"], "its image has only Python 2.7"),
        (["2.7", "3.7"], "its image has only Python 2.7 and 3.7"),
        (["3.8"], ""),
        (["2.7", "3.14"], ""),
    ],
)
def test_says_why_a_service_is_not_measured(versions, reason):
    interpreters = tuple(Interpreter(f"/usr/bin/python{version}", version, ".so") for version in versions)
    assert services._why_not(replace(IMAGE, interpreters=interpreters)) == reason


@pytest.fixture
def engine(monkeypatch):
    """What is asked of an engine that has no image but those it builds and pulls, in order."""
    asked: list[str] = []
    there: set[tuple[str, str]] = set()

    class Engine:
        calls = asked
        names: Mapping[str, str] = {}
        platforms: Mapping[str, str] = {}

        def get(self, services):
            there.update((self.names[name], self.platforms.get(name, "")) for name in services)

        def build(self, _project, services):
            asked.append(f"build {' '.join(services)}")
            self.get(services)

        def pull(self, _project, service):
            asked.append(f"pull {service}")
            self.get([service])

        def inspect(self, *place):
            asked.append(f"inspect {' for '.join(filter(None, place))}")
            return IMAGE

    engine = Engine()
    monkeypatch.setattr(services.engine, "image_names", lambda *_: engine.names)
    monkeypatch.setattr(services.engine, "find_image", lambda name, platform="": (name, platform) in there)
    monkeypatch.setattr(services.engine, "build_images", engine.build)
    monkeypatch.setattr(services.engine, "pull_image", engine.pull)
    monkeypatch.setattr(services, "inspect_image", engine.inspect)
    return engine


def find(root, definitions, **options):
    return services.find_services(Project(root, "compose", ()), {"services": definitions}, **options)


HERE, THERE = {"context": "."}, {"context": "there"}


def test_all_images_are_built_then_pulled_then_each_is_looked_at_once(tmp_path, engine):
    engine.names = {"db": "postgres", "job": "shop", "web": "shop", "worker": "shop", "api": "api"}
    definitions = {"db": {}, "job": {}, "web": {"build": HERE}, "worker": {"build": HERE}, "api": {"build": THERE}}
    found = find(tmp_path, definitions)
    assert [service.name for service in found] == ["api", "db", "job", "web", "worker"]
    first = ["build api web", "pull db", "inspect api", "inspect postgres", "inspect shop"]
    assert engine.calls == first

    engine.calls.clear()
    find(tmp_path, definitions)
    assert engine.calls == first[2:]
    engine.calls.clear()
    find(tmp_path, definitions, build=True)
    assert engine.calls == [first[0], *first[2:]]


def test_different_builds_of_one_name_are_not_done_at_once(tmp_path, engine):
    engine.names = {"api": "api", "web": "shop", "worker": "shop"}
    find(tmp_path, {"api": {"build": HERE}, "web": {"build": HERE}, "worker": {"build": THERE}}, build=True)
    assert engine.calls == ["build api web", "build worker", "inspect api", "inspect shop"]


def test_image_of_a_platform_is_looked_at_for_it(tmp_path, engine, monkeypatch):
    engine.names = dict.fromkeys(("a", "b", "c"), "multi")
    engine.platforms = {"b": "linux/386"}
    definitions = {"a": {}, "b": {"platform": "linux/386"}, "c": {}}
    found = find(tmp_path, definitions)
    assert engine.calls == ["pull a", "pull b", "inspect multi", "inspect multi for linux/386"]
    assert len(found) == 3
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
    assert services.platform_of({}) == "linux/arm64"
    assert services.platform_of({"platform": "linux/386"}) == "linux/386"


def test_service_without_an_image_is_named_where_none_is_to_be_had(tmp_path, engine):
    engine.names = {"web": "shop"}
    (found,) = find(tmp_path, {"web": {"build": HERE}}, obtain=False)
    assert (found.image, found.reason) == (None, "its image is neither built nor pulled")
    assert engine.calls == []


@pytest.mark.parametrize(
    ("definition", "entrypoint", "command"),
    [
        ({}, ("tini", "--"), ("serve",)),
        ({"command": ["work"]}, ("tini", "--"), ("work",)),
        ({"command": []}, ("tini", "--"), ("serve",)),
        ({"entrypoint": ["sh"]}, ("sh",), ()),
        ({"entrypoint": ["sh"], "command": ["-c", "work"]}, ("sh",), ("-c", "work")),
        ({"entrypoint": []}, (), ("serve",)),
        ({"entrypoint": None, "command": None}, ("tini", "--"), ("serve",)),
    ],
)
def test_own_entrypoint_drops_the_images_command(definition, entrypoint, command):
    # As docker 20.10 and compose 2.40 merge them, by `docker inspect` of containers made so.
    image = replace(IMAGE, entrypoint=("tini", "--"), command=("serve",))
    assert services._in_force(definition, image) == (entrypoint, command)


def test_knows_every_place_that_the_image_does_not_fill():
    definition = {
        "volumes": [{"type": "bind", "source": "/x", "target": "/app/"}, {"type": "volume", "target": "/cache"}],
        "tmpfs": ["/run:size=1m", "/tmp"],
    }
    assert services._volumes(definition) == ("/app", "/cache", "/run", "/tmp")
    assert services._volumes({"tmpfs": "/tmp"}) == ("/tmp",)
    assert services._volumes({}) == ()


def test_bind_mounts_of_the_repository_count(tmp_path):
    (tmp_path / "repo/orders").mkdir(parents=True)
    (tmp_path / "repo/settings.py").touch()
    (tmp_path / "repo/data.csv").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "repo/link").symlink_to(tmp_path / "elsewhere")
    volumes = [
        {"type": "bind", "source": str(tmp_path / "repo/orders"), "target": "/app/"},
        {"type": "bind", "source": str(tmp_path / "repo"), "target": "/srv"},
        {"type": "bind", "source": str(tmp_path / "repo/settings.py"), "target": "/etc/settings.py"},
        {"type": "bind", "source": str(tmp_path / "repo/data.csv"), "target": "/data.csv"},
        {"type": "bind", "source": str(tmp_path / "elsewhere"), "target": "/elsewhere"},
        {"type": "bind", "source": str(tmp_path / "repo/link"), "target": "/link"},
        {"type": "volume", "source": "cache", "target": "/cache"},
        {"type": "tmpfs", "target": "/tmp"},
    ]
    assert services._binds(tmp_path / "repo", {"volumes": volumes}) == (
        ("/app", "orders"),
        ("/srv", "."),
        ("/etc/settings.py", "settings.py"),
    )
