"""Mapping by content, on a corpus of layouts: a file that is mapped is mapped rightly, one that is not is named."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from checkouts import write
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import ROOT

from coverage_tasks.project import Project
from coverage_tasks.sources.maps import Filesystem, Links, SourceMap
from coverage_tasks.sources.repository import Digest, Repository, digest_of, is_test
from coverage_tasks.sources.votes import map_sources

SITE = "/usr/local/lib/python3.11/site-packages"


@dataclass
class Layout:
    """`expected`: container path -> repository path, "drifted:PATH", or None for unmapped."""

    repository: dict[str, str]
    container: dict[str, str]
    expected: dict[str, str | None]
    sources: list[str]
    binds: list[tuple[str, str]] = field(default_factory=list)


def code(name: str) -> str:
    return f"NAME = {name!r}\n"


ORDERS = {"orders/main.py": code("orders"), "orders/api/__init__.py": "", "orders/api/routes.py": code("routes")}
CATALOG = {"catalog/main.py": code("catalog"), "catalog/api/__init__.py": "", "catalog/api/routes.py": code("croutes")}
PRICING = {
    "libs/pricing/setup.py": code("setup"),
    "libs/pricing/pricing/__init__.py": "",
    "libs/pricing/pricing/rates.py": code("rates"),
    "libs/pricing/pricing/tax.py": code("tax"),
    "libs/pricing/pricing/rounding.py": code("rounding"),
}


def copied(files: dict[str, str], source: str, target: str) -> dict[str, str]:
    """`COPY source target`."""
    prefix = source + "/" if source != "." else ""
    return {f"{target}/{path[len(prefix) :]}": text for path, text in files.items() if path.startswith(prefix)}


def mapped(files: dict[str, str], source: str, target: str) -> dict[str, str | None]:
    """What `COPY source target` is expected to map to."""
    prefix = source + "/" if source != "." else ""
    return {f"{target}/{path[len(prefix) :]}": path for path in files if path.startswith(prefix)}


BOTH = ORDERS | CATALOG
LAYOUTS = {
    "the whole repository in /src": Layout(BOTH, copied(BOTH, ".", "/src"), mapped(BOTH, ".", "/src"), ["/src"]),
    "one service in /app": Layout(BOTH, copied(BOTH, "orders", "/app"), mapped(BOTH, "orders", "/app"), ["/app"]),
    "another service in the same /app": Layout(
        BOTH, copied(BOTH, "catalog", "/app"), mapped(BOTH, "catalog", "/app"), ["/app"]
    ),
    "a deep target with the name of the service": Layout(
        BOTH, copied(BOTH, "orders", "/srv/orders"), mapped(BOTH, "orders", "/srv/orders"), ["/srv/orders"]
    ),
    "a service at the container's root": Layout(
        {"one/main.py": code("one"), "one/pkg/mod.py": code("mod")},
        {"/main.py": code("one"), "/pkg/mod.py": code("mod"), "/usr/share/gdb/x.py": code("gdb")},
        {"/main.py": "one/main.py", "/pkg/mod.py": "one/pkg/mod.py", "/usr/share/gdb/x.py": None},
        ["/main.py", "/pkg"],
    ),
    "a library copied below the service, with more files than the service": Layout(
        ORDERS | PRICING,
        copied(ORDERS, "orders", "/app") | copied(PRICING, "libs/pricing/pricing", "/app/pricing"),
        mapped(ORDERS, "orders", "/app") | mapped(PRICING, "libs/pricing/pricing", "/app/pricing"),
        ["/app"],
    ),
    "two directories laid over one another": Layout(
        {
            "orders/main.py": code("m"),
            "orders/urls.py": code("u"),
            "shared/db.py": code("db"),
            "shared/log.py": code("l"),
        },
        {"/app/main.py": code("m"), "/app/urls.py": code("u"), "/app/db.py": code("db"), "/app/log.py": code("l")},
        {
            "/app/main.py": "orders/main.py",
            "/app/urls.py": "orders/urls.py",
            "/app/db.py": "shared/db.py",
            "/app/log.py": "shared/log.py",
        },
        ["/app"],
    ),
    "src layout": Layout(
        {
            "billing/src/billing/__init__.py": "",
            "billing/src/billing/a.py": code("a"),
            "billing/tests/test_a.py": code("t"),
        },
        {"/app/src/billing/__init__.py": "", "/app/src/billing/a.py": code("a")},
        {
            "/app/src/billing/__init__.py": "billing/src/billing/__init__.py",
            "/app/src/billing/a.py": "billing/src/billing/a.py",
        },
        ["/app/src/billing"],
    ),
    "installed into site-packages, with the dead copy in /app": Layout(
        PRICING,
        copied(PRICING, "libs/pricing", "/app")
        | copied(PRICING, "libs/pricing", SITE)
        | {f"{SITE}/flask/app.py": code("flask"), f"{SITE}/setup.py": code("setup of another")},
        mapped(PRICING, "libs/pricing", "/app")
        | mapped({p: t for p, t in PRICING.items() if "setup" not in p}, "libs/pricing", SITE)
        | {f"{SITE}/flask/app.py": None},
        ["/app", f"{SITE}/pricing"],
    ),
    "installed part of a namespace that others share": Layout(
        {"libs/geo/src/acme/geo/a.py": code("a"), "libs/geo/src/acme/geo/b.py": code("b")},
        {f"{SITE}/acme/geo/a.py": code("a"), f"{SITE}/acme/geo/b.py": code("b")}
        | {f"{SITE}/acme/other/m{i}.py": code(f"other {i}") for i in range(9)},
        {
            f"{SITE}/acme/geo/a.py": "libs/geo/src/acme/geo/a.py",
            f"{SITE}/acme/geo/b.py": "libs/geo/src/acme/geo/b.py",
            f"{SITE}/acme/other/m1.py": None,
        },
        [f"{SITE}/acme/geo"],
    ),
    "an installed module": Layout(
        {"libs/clock/setup.py": code("setup"), "libs/clock/clock.py": code("clock")},
        {f"{SITE}/clock.py": code("clock"), f"{SITE}/six.py": code("six")},
        {f"{SITE}/clock.py": "libs/clock/clock.py", f"{SITE}/six.py": None},
        [f"{SITE}/clock.py"],
    ),
    "a virtual environment inside the source root": Layout(
        ORDERS,
        copied(ORDERS, "orders", "/app")
        | {
            "/app/.venv/lib/python3.12/site-packages/main.py": code("orders"),
            "/app/.venv/bin/activate_this.py": "pass",
        },
        mapped(ORDERS, "orders", "/app")
        | {"/app/.venv/lib/python3.12/site-packages/main.py": None, "/app/.venv/bin/activate_this.py": None},
        ["/app"],
    ),
    "a decoy main.py at the repository's root": Layout(
        ORDERS | {"main.py": code("decoy")},
        copied(ORDERS, "orders", "/app"),
        mapped(ORDERS, "orders", "/app"),
        ["/app"],
    ),
    "a drifted file whose old content now lies at the root": Layout(
        ORDERS | {"main.py": code("old"), "orders/b.py": code("b")},
        {"/app/main.py": code("old"), "/app/b.py": code("b"), "/app/api/routes.py": code("routes")},
        {"/app/main.py": None, "/app/b.py": "orders/b.py", "/app/api/routes.py": "orders/api/routes.py"},
        ["/app"],
    ),
    "vendored twins of installed modules": Layout(
        ORDERS | {"orders/vendor/six.py": code("six"), "orders/compat.py": code("compat")},
        copied(ORDERS, "orders", "/app")
        | {f"{SITE}/six.py": code("six"), f"{SITE}/pip/_vendor/six.py": code("six"), f"{SITE}/pip/main.py": code("pip")}
        | {f"{SITE}/tool/compat.py": code("compat")},
        mapped(ORDERS, "orders", "/app")
        | {f"{SITE}/six.py": None, f"{SITE}/pip/_vendor/six.py": None, f"{SITE}/tool/compat.py": None},
        ["/app"],
    ),
    "a whole distribution vendored and installed": Layout(
        ORDERS | {"orders/_vendor/attr/a.py": code("a"), "orders/_vendor/attr/b.py": code("b")},
        copied(ORDERS, "orders", "/app") | {f"{SITE}/attr/a.py": code("a"), f"{SITE}/attr/b.py": code("b")},
        mapped(ORDERS, "orders", "/app") | {f"{SITE}/attr/a.py": None, f"{SITE}/attr/b.py": None},
        ["/app"],
    ),
    "byte-identical helpers in every service": Layout(
        BOTH | {"orders/util.py": code("util"), "catalog/util.py": code("util")},
        copied(CATALOG, "catalog", "/app") | {"/app/util.py": code("util")},
        mapped(CATALOG, "catalog", "/app") | {"/app/util.py": "catalog/util.py"},
        ["/app"],
    ),
    "a generated file that only another service has in the repository": Layout(
        BOTH | {"catalog/shop_pb2.py": code("pb2")},
        copied(ORDERS, "orders", "/app") | {"/app/shop_pb2.py": code("pb2")},
        mapped(ORDERS, "orders", "/app") | {"/app/shop_pb2.py": None},
        ["/app"],
    ),
    "drifted and image-only files": Layout(
        ORDERS,
        copied(ORDERS, "orders", "/app") | {"/app/main.py": code("before"), "/app/version.py": code("generated")},
        mapped(ORDERS, "orders", "/app") | {"/app/main.py": "drifted:orders/main.py", "/app/version.py": None},
        ["/app"],
    ),
    "a bind mount over COPY": Layout(
        BOTH,
        copied(ORDERS, "orders", "/app"),
        {"/app/main.py": "drifted:catalog/main.py", "/app/api/routes.py": "drifted:catalog/api/routes.py"},
        ["/app"],
        [("/app", "catalog")],
    ),
    "a bind mount below COPY": Layout(
        ORDERS | PRICING,
        copied(ORDERS, "orders", "/app") | copied(PRICING, "libs/pricing/pricing", "/app/pricing"),
        mapped(ORDERS, "orders", "/app") | mapped(PRICING, "libs/pricing/pricing", "/app/pricing"),
        ["/app"],
        [("/app/pricing", "libs/pricing/pricing")],
    ),
    "two directories copied into one: no majority": Layout(
        {"a/x.py": code("x"), "a/rest.py": code("a rest"), "b/y.py": code("y"), "b/rest.py": code("b rest")},
        {"/app/x.py": code("x"), "/app/y.py": code("y")},
        {"/app/x.py": None, "/app/y.py": None},
        [],
    ),
    "two directories copied into one, a file of the smaller stamped by the build": Layout(
        {
            "shared/x.py": code("x"),
            "shared/z.py": code("z"),
            "web/y.py": code("y"),
            "web/version.py": code("@version@"),
        },
        {"/app/x.py": code("x"), "/app/z.py": code("z"), "/app/y.py": code("y"), "/app/version.py": code("1.2")},
        {"/app/x.py": "shared/x.py", "/app/y.py": "web/y.py", "/app/version.py": "drifted:web/version.py"},
        ["/app"],
    ),
    "a file of another directory in one that has the rest by name only": Layout(
        {"a/x.py": code("x"), "a/y.py": code("y"), "a/main.py": code("a"), "b/z.py": code("z"), "b/main.py": code("b")},
        {"/app/x.py": code("x"), "/app/y.py": code("y"), "/app/main.py": code("a"), "/app/z.py": code("z")},
        {"/app/main.py": "a/main.py", "/app/z.py": None},
        ["/app"],
    ),
    "nothing but a file with a new name": Layout(
        {"a/prod.py": code("settings")}, {"/app/settings.py": code("settings")}, {"/app/settings.py": None}, []
    ),
}


def map_layout(layout: Layout) -> SourceMap:
    repository = Repository(Path("/nowhere"), {path: digest_of(t.encode()) for path, t in layout.repository.items()})
    container = {path: digest_of(text.encode()) for path, text in layout.container.items()}
    return map_sources(Filesystem(container, layout.binds), repository)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_file_is_mapped_rightly_or_named(layout: Layout) -> None:
    source_map = map_layout(layout)
    found = {}
    for path in layout.expected:
        match = source_map.find(path, digest_of(layout.container[path].encode()))
        found[path] = f"drifted:{match.path}" if match.state == "drifted" else match.path
        assert (match.state == "same") == (match.reason == "")
        assert (match.state == "unmapped") == (match.path is None)
    assert found == layout.expected


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_sources_are_the_fewest_directories(layout: Layout) -> None:
    assert map_layout(layout).sources == layout.sources


def test_a_unique_file_in_the_wrong_place_is_refused_with_a_reason() -> None:
    layout = LAYOUTS["a generated file that only another service has in the repository"]
    match = map_layout(layout).find("/app/shop_pb2.py", digest_of(code("pb2").encode()))
    assert match.reason == "it is catalog/shop_pb2.py by content, but /app is orders"


def test_a_source_that_could_not_be_read_is_not_vouched_for() -> None:
    match = map_layout(LAYOUTS["one service in /app"]).find("/app/main.py", None)
    assert (match.path, match.state) == ("orders/main.py", "drifted")


def test_unreadable_source_is_not_said_to_be_there() -> None:
    match = map_layout(LAYOUTS["one service in /app"]).find("/compiled/main.py", None)
    assert match == (None, "unmapped", "its source could not be read where it ran")


NAMES = st.sampled_from(["app", "lib", "site-packages", "a.py", "b.py", "__init__.py"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
CONTENTS = st.sampled_from([b"", b"a = 1\n", b"b = 22\n", b"c = 333\n"])


@settings(deadline=None)
@given(
    container=st.dictionaries(PATHS.map(lambda path: "/" + path), CONTENTS, max_size=12),
    files=st.dictionaries(PATHS, CONTENTS, max_size=12),
    binds=st.lists(st.tuples(PATHS.map(lambda path: "/" + path), PATHS), max_size=2),
)
def test_whatever_the_layout_lines_land_on_equal_content(container, files, binds) -> None:
    repository = Repository(Path("/nowhere"), {path: digest_of(content) for path, content in files.items()})
    digests = {path: digest_of(content) for path, content in container.items()}
    source_map = map_sources(Filesystem(digests, binds), repository)
    for path, digest in digests.items():
        match = source_map.find(path, digest)
        if match.state == "same":
            assert repository.files[match.path] == digest
            # What the spy is told to measure holds whatever can be shown.
            assert any(f"{path}/".startswith(f"{source.rstrip('/')}/") for source in source_map.sources)


def test_a_name_that_is_another_files_beginning_is_not_below_it() -> None:
    match = map_layout(LAYOUTS["one service in /app"]).find("/application/main.py", Digest(3, 3))
    assert match.state == "unmapped"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("patients/tests.py", True),
        ("web/tests/pages.py", True),
        ("web/test_pages.py", True),
        ("web/pages_test.py", True),
        ("setup.py", True),
        ("web/pages.py", False),
        ("web/contests.py", False),
        ("tests_of_time/clock.py", False),
    ],
)
def test_knows_a_test_by_its_name(path: str, expected: bool) -> None:
    assert is_test(path) == expected


def test_identity_maps_the_repositorys_own_paths(tmp_path: Path) -> None:
    write(tmp_path, ORDERS)
    source_map = SourceMap.identity(Repository.read(tmp_path))
    main = digest_of(ORDERS["orders/main.py"].encode())
    assert source_map.find(f"{tmp_path}/orders/main.py", main).path == "orders/main.py"
    assert source_map.find(f"{tmp_path}/orders/main.py", Digest(1, 1)).state == "drifted"
    assert source_map.find("/elsewhere/orders/main.py", main).state == "unmapped"
    assert source_map.sources == [str(tmp_path)]


@pytest.mark.parametrize("make_map", [SourceMap.identity, lambda r: map_sources(Filesystem({}, [("/app", ".")]), r)])
def test_links_of_the_checkout_lead_to_the_file(tmp_path: Path, make_map: Callable[[Repository], SourceMap]) -> None:
    write(tmp_path, PRICING)
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/pricing").symlink_to("../libs/pricing/pricing")
    (tmp_path / "orders/away").symlink_to("/usr")
    source_map = make_map(Repository.read(tmp_path))
    here = source_map.roots[0].container
    assert source_map.find(f"{here}/orders/pricing/tax.py", TAX) == ("libs/pricing/pricing/tax.py", "same", "")
    assert source_map.find(f"{here}/orders/pricing/tax.py", Digest(1, 1)).state == "drifted"
    assert source_map.find(f"{here}/orders/away/tax.py", TAX).path is None


TAX = digest_of(code("tax").encode())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/app/main.py", "/srv/2/main.py"),
        ("/srv/current/../current/main.py", "/srv/2/main.py"),
        ("/a/x", "/a/x"),
        ("/", "/"),
        ("/app", "/srv/2"),
        ("/apple/main.py", "/apple/main.py"),
        ("/up/main.py", "/opt/main.py"),
    ],
)
def test_links_are_followed_as_the_kernel_does(path: str, expected: str) -> None:
    made = {
        "/app": "srv/current",
        "/srv/current": "2",
        "/a": "/b",
        "/b": "/a",
        "/srv/2/up": "..",
        "/up": "app/../../opt",
    }
    assert Links.followed(made).resolve(path) == expected


def test_installed_tool_is_no_source(tmp_path, monkeypatch):
    monkeypatch.setattr("coverage_tasks.sources.repository.TOOL", tmp_path)
    ours = [path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.py"), *ROOT.glob("scripts/**/*.py"))]
    theirs = ("orders/main.py", "scripts/release.py")
    write(tmp_path, dict.fromkeys((*ours, "coverage-spy/sitecustomize.py", *theirs), "a = 1\n"))
    project = Project(tmp_path, "procfile", (tmp_path / "Procfile",))
    assert "scripts/coverage_sessions.py" in ours
    assert Repository.of_project(project).files.keys() == set(theirs)


def test_a_file_larger_than_any_source_is_named_and_left_out(tmp_path: Path) -> None:
    (tmp_path / "small.py").write_text("a = 1\n")
    for name in ("big.py", "script", "data"):
        (tmp_path / name).write_text("#!/usr/bin/python3\n" if name == "script" else "")
        os.truncate(tmp_path / name, 1 << 40)
    found = Repository.read(tmp_path)
    assert found.files.keys() == {"small.py"}
    reason = "it has more than 16777216 bytes", "make it smaller, or let git ignore it"
    assert found.unread == dict.fromkeys(["big.py", "script"], reason)
