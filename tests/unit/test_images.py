import io
import json
import shutil
import tarfile
from dataclasses import asdict, replace
from pathlib import PurePosixPath

import pytest
from costs import bounded

from coverage_tasks.errors import TaskError
from coverage_tasks.project import Project
from coverage_tasks.recorded.images import load_image
from coverage_tasks.runtimes.compose import engine, images
from coverage_tasks.sources.images import Image, Interpreter
from coverage_tasks.sources.repository import Digest, digest_of

SOURCE = b"print('hello')\n"
GNU_311 = "cpython-311-x86_64-linux-gnu.so"
IMAGE = Image("c1", "shop-orders", {"PATH": "/bin"}, "/app", "", (), {"/app/main.py": digest_of(SOURCE)})


def read(*entries: str | tuple[str, str], **contents: bytes) -> images._Contents:
    """Reads an archive as `docker export` writes it.

    Files are executable and have SOURCE in them, or what `contents` says for their last name without its suffix;
    "name/" stands for a directory, (name, target) for a symbolic link.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry in entries:
            name, target = entry if isinstance(entry, tuple) else (entry, None)
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            content = contents.get(PurePosixPath(name).stem, SOURCE)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            elif target:
                member.type, member.linkname = tarfile.SYMTYPE, target
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    packed.seek(0)
    with tarfile.open(fileobj=packed, mode="r|") as archive:
        return images._read_archive(archive, "/app")


@pytest.mark.parametrize(
    ("executable", "extension", "expected"),
    [
        (
            "usr/local/bin/python3.11",
            f"usr/local/lib/python3.11/lib-dynload/_asyncio.{GNU_311}",
            Interpreter("/usr/local/bin/python3.11", "3.11", f".{GNU_311}"),
        ),
        (
            "usr/bin/python3.9",
            "usr/lib/python3.9/lib-dynload/_json.cpython-39-aarch64-linux-gnu.so",
            Interpreter("/usr/bin/python3.9", "3.9", ".cpython-39-aarch64-linux-gnu.so"),
        ),
        (
            "usr/bin/python3.12",
            "usr/lib64/python3.12/lib-dynload/_json.cpython-312-x86_64-linux-gnu.so",
            Interpreter("/usr/bin/python3.12", "3.12", ".cpython-312-x86_64-linux-gnu.so"),
        ),
        (
            "opt/pyenv/versions/3.8.18/bin/python3.8",
            "opt/pyenv/versions/3.8.18/lib/python3.8/lib-dynload/math.cpython-38-x86_64-linux-gnu.so",
            Interpreter("/opt/pyenv/versions/3.8.18/bin/python3.8", "3.8", ".cpython-38-x86_64-linux-gnu.so"),
        ),
        (
            "usr/local/bin/python3.13t",
            "usr/local/lib/python3.13t/lib-dynload/math.cpython-313t-x86_64-linux-gnu.so",
            Interpreter("/usr/local/bin/python3.13t", "3.13", ".cpython-313t-x86_64-linux-gnu.so"),
        ),
    ],
)
def test_finds_an_interpreter_by_its_files(executable, extension, expected):
    assert read(executable, extension).interpreters == (expected,)


@pytest.mark.parametrize(
    ("library", "suffix"),
    [
        ("python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py", ".cpython-312-x86_64-linux-gnu.so"),
        ("python3.12/_sysconfigdata_t_linux_aarch64-linux-musl.py", ".cpython-312t-aarch64-linux-musl.so"),
        ("python3.12/_sysconfigdata__linux_.py", None),
        ("python3.12/_sysconfigdata__darwin_darwin.py", None),
    ],
)
def test_finds_an_interpreter_that_has_all_its_extension_modules_inside(library, suffix):
    found = read("python/cpython-3.12/bin/python3.12", f"python/cpython-3.12/lib/{library}").interpreters
    assert [interpreter.suffix for interpreter in found] == ([suffix] if suffix else [])


def test_what_an_extension_module_says_counts_first():
    # Alpine's own 3.9 is built against musl and says gnu.
    files = ["lib-dynload/m.cpython-39-x86_64-linux-gnu.so", "_sysconfigdata__linux_x86_64-linux-musl.py"]
    (found,) = read("usr/bin/python3.9", *(f"usr/lib/python3.9/{file}" for file in files)).interpreters
    assert found.suffix == ".cpython-39-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    "entries",
    [
        [("usr/bin/python3.11", "python3"), f"usr/lib/python3.11/lib-dynload/_json.{GNU_311}"],
        ["usr/share/python3.11", f"usr/lib/python3.11/lib-dynload/_json.{GNU_311}"],
        ["usr/bin/python3.11", f"opt/other/lib/python3.11/lib-dynload/_json.{GNU_311}"],
        ["usr/bin/python3.11-config", "usr/bin/python3", f"usr/lib/python3.11/lib-dynload/_json.{GNU_311}"],
        ["usr/bin/pypy3.10"],
    ],
)
def test_takes_nothing_else_for_an_interpreter(entries):
    assert read(*entries).interpreters == ()


@pytest.mark.parametrize(
    ("directory", "found"),
    [
        ("usr/local/lib/python3.11/site-packages", True),
        ("usr/local/lib64/python3.11/site-packages", True),
        ("usr/local/lib/python3.12/site-packages", False),
        ("opt/venv/lib/python3.12/site-packages", True),
        ("opt/venv/lib/python3.12/site-packages/vendored/lib/python3.12/site-packages", False),
        ("opt/left-over/lib/python3.11/site-packages", False),
        ("usr/lib/python3/dist-packages", True),
        ("usr/lib/python2.7/dist-packages", False),
        ("usr/local/lib/python3.9/dist-packages", True),
    ],
)
def test_finds_where_interpreters_and_virtual_environments_look_for_pth_files(directory, found):
    files = (
        "usr/local/bin/python3.11",
        f"usr/local/lib/python3.11/lib-dynload/_asyncio.{GNU_311}",
        "usr/bin/python3.9",
        "usr/lib/python3.9/lib-dynload/_json.cpython-39-x86_64-linux-gnu.so",
        ("opt/venv/bin/python3.12", "/home/app/.local/bin/python3.12"),
        "opt/venv/pyvenv.cfg",
    )
    assert read(f"{directory}/", *files).sites == ((f"/{directory}",) if found else ())


def test_tells_musl_from_glibc():
    # CPython 3.8 to 3.10 has the same suffix on both.
    files = ["usr/local/bin/python3.9", "usr/local/lib/python3.9/lib-dynload/m.cpython-39-x86_64-linux-gnu.so"]
    assert read(*files).interpreters[0].libc == "glibc"
    assert read("lib/ld-musl-x86_64.so.1", *files).interpreters[0].libc == "musl"


def test_knows_every_source_outside_the_standard_library():
    files = read(
        "app/main.py",
        "app/README",
        "usr/local/lib/python3.11/site-packages/flask/app.py",
        "usr/lib/python3/dist-packages/apt.py",
        "opt/venv/lib/python3.11/site-packages/rich.py",
        "usr/local/lib/python3.11/json/decoder.py",
        "usr/lib/python3.11/abc.py",
        "usr/lib/pypy3.10/abc.py",
    ).files
    assert files == dict.fromkeys(
        [
            "/app/main.py",
            "/usr/local/lib/python3.11/site-packages/flask/app.py",
            "/usr/lib/python3/dist-packages/apt.py",
            "/opt/venv/lib/python3.11/site-packages/rich.py",
        ],
        digest_of(SOURCE),
    )


def test_hard_link_has_the_content_of_its_target():
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        first = tarfile.TarInfo("cache/a.py")
        first.size = len(SOURCE)
        archive.addfile(first, io.BytesIO(SOURCE))
        second = tarfile.TarInfo("app/a.py")
        second.type, second.linkname = tarfile.LNKTYPE, "cache/a.py"
        archive.addfile(second)
    packed.seek(0)
    with tarfile.open(fileobj=packed, mode="r|") as archive:
        assert images._read_archive(archive).files["/app/a.py"] == digest_of(SOURCE)


def test_names_what_measuring_left_where_the_image_was_built_from():
    ours = ("app/coverage-data/.gitignore", "app/htmlcov/combined.json", "app/.nox/coverage-report/pyvenv.cfg")
    theirs = ("app/htmlcov/index.html", "app/.nox/tests/pyvenv.cfg", "srv/coverage-data/x.py", "app/coverage.json")
    assert read(*ours, *theirs).written == ("/app/.nox", "/app/coverage-data", "/app/htmlcov")


def test_names_every_sitecustomize_and_usercustomize():
    names = ("usr/lib/python3.11/sitecustomize.py", "root/.local/usercustomize.py", "app/sitecustomize/__init__.py")
    found = read(*names, ("opt/sitecustomize.py", "x.py"), "app/mysitecustomize.py", "app/sitecustomize.py.bak")
    assert found.customizations == tuple(sorted(f"/{name}" for name in (*names, "opt/sitecustomize.py")))


def test_keeps_the_links_that_lead_to_sources():
    found = read(
        *("srv/2/main.py", "opt/lib/a.py", "usr/share/doc/x"),
        *(("app", "srv/current"), ("srv/current", "2"), ("srv/2/settings.py", "main.py"), ("doc", "/usr/share/doc")),
        *(("all", "/"), ("round", "round"), ("bin", "usr/bin")),
    )
    assert found.links == {"/app": "/srv/2", "/srv/2/settings.py": "/srv/2/main.py", "/srv/current": "/srv/2"}


@pytest.mark.parametrize(
    ("entries", "version"),
    [
        (["usr/local/lib/python3.11/site-packages/coverage-7.6.1.dist-info/"], "7.6.1"),
        (["usr/lib/python3/dist-packages/coverage-6.5.0.egg-info/PKG-INFO"], "6.5.0"),
        (["usr/lib/python3/dist-packages/coverage-6.5.0-py3.11.egg-info"], "6.5.0"),
        (["opt/lib/site-packages/coverage-5.0.dist-info/", "app/lib/site-packages/coverage-7.0.dist-info/"], "7.0"),
        (["opt/lib/site-packages/coverage_enable_subprocess-1.0.dist-info/"], ""),
        (["app/coverage-report/", "opt/lib/site-packages/coverage-helper.dist-info/"], ""),
    ],
)
def test_finds_the_images_own_coverage(entries, version):
    assert read(*entries).coverage == version


def test_keeps_the_first_line_of_scripts_that_start_python():
    found = read(
        *("usr/local/bin/serve", "app/manage", "app/own.py", "app/tool/deep", "usr/bin/run", "usr/sbin/cron"),
        *("usr/bin/python3.11", "usr/local/bin/flask/", ("usr/bin/linked", "run")),
        serve=b"#!/usr/local/bin/python3.11 -I\nimport serve\n",
        manage=b"#!/usr/bin/env -S python3 -E\r\n",
        own=b"#!/usr/bin/env python3\nprint()\n",
        deep=b"#!/usr/bin/python3\n",
        run=b"#!/bin/sh\nexec python -S\n",
        cron=b"#!/usr/bin/python3" + b"." * 10_000,
    )
    assert found.shebangs == {
        "/app/manage": "#!/usr/bin/env -S python3 -E",
        "/app/own.py": "#!/usr/bin/env python3",
        "/usr/local/bin/serve": "#!/usr/local/bin/python3.11 -I",
        "/usr/sbin/cron": "#!/usr/bin/python3" + "." * (255 - 18),
    }
    assert found.files == {
        "/app/manage": digest_of(b"#!/usr/bin/env -S python3 -E\r\n"),
        "/app/own.py": digest_of(b"#!/usr/bin/env python3\nprint()\n"),
        "/usr/local/bin/serve": digest_of(b"#!/usr/local/bin/python3.11 -I\nimport serve\n"),
        "/usr/sbin/cron": digest_of(b"#!/usr/bin/python3" + b"." * 10_000),
    }


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "cache"))
    (tmp_path / "repository").mkdir()
    return Project(tmp_path / "repository", "compose", ())


def test_image_comes_back_as_it_was(project):
    interpreter = Interpreter("/usr/bin/python3.11", "3.11", f".{GNU_311}", "musl")
    image = replace(
        IMAGE,
        interpreters=(interpreter,),
        files={"/app/sch\udce9.py": Digest(1, 2)},
        sites=("/usr/lib/site-packages",),
        entrypoint=("tini", "--"),
        command=("python", "main.py"),
        customizations=("/app/sitecustomize.py",),
        shebangs={"/usr/bin/serve": "#!/usr/bin/python3"},
        platform="linux/386",
        ids=("sha256:1", "sha256:2"),
    )
    images.record_images(project.state, [image])
    assert load_image(project.state, "c1") == image
    assert load_image(project.state, "c2") is None


def damaged_by(change):
    known = {"version": 1, **asdict(IMAGE)}
    change(known)
    return json.dumps(known)


@pytest.mark.parametrize(
    "damage",
    [
        *("", "{", "{}", json.dumps({"interpreters": [{"no": 1}], "files": {}})),
        damaged_by(lambda known: known.pop("version")),
        damaged_by(lambda known: known.update(version=0)),
        damaged_by(lambda known: known.pop("files")),
        damaged_by(lambda known: known.update(another=1)),
        damaged_by(lambda known: known.update(links=None)),
        damaged_by(lambda known: known.update(user=0)),
        damaged_by(lambda known: known.update(sites="/usr")),
        damaged_by(lambda known: known.update(files={"/app/main.py": [1, True]})),
        damaged_by(lambda known: known.update(files={"/app/main.py": [1, 2, 3]})),
        damaged_by(lambda known: known.update(files={"/app/main.py": [1 << 60, 2]})),
        "[" * 100_000,
    ],
)
def test_damaged_record_and_one_of_another_version_count_as_none(project, damage):
    images.record_images(project.state, [IMAGE])
    (recorded,) = (project.state / "images").iterdir()
    recorded.write_text(damage)
    assert load_image(project.state, "c1") is None


def test_record_holds_the_images_of_the_last_run_only(project):
    images.record_images(project.state, [IMAGE, replace(IMAGE, content="c2")])
    images.record_images(project.state, [replace(IMAGE, content="c2"), replace(IMAGE, content="c3", name="other")])
    assert sorted(file.name for file in (project.state / "images").iterdir()) == ["c2.json", "c3.json"]


@pytest.fixture
def known(monkeypatch):
    """What the engine has: name -> image. Reading one's file system is counted."""
    has: dict[str, engine.EngineImage] = {}
    read: list[str] = []

    def read_filesystem(image, _workdir, _platform):
        read.append(image)
        return images._Contents((), {}, (), (), "", {}, {}, (), ())

    monkeypatch.setattr(images.engine, "find_image", lambda name, _platform="": has.get(name))
    monkeypatch.setattr(images, "_read_filesystem", read_filesystem)
    return has, read


def test_build_without_a_change_is_not_read_again_though_its_id_is_another(project, known):
    has, read = known
    for build in ("sha256:first", "sha256:second"):
        has["shop-web"] = engine.EngineImage((build, "sha256:manifest"), "c1", {"WorkingDir": "/app"})
        image = images.inspect_image("shop-web")
        assert (image.ids[0], image.content, image.workdir) == (build, "c1", "/app")
    has["other"] = has["shop-web"]
    assert images.inspect_image("other").name == "other"
    assert read == ["sha256:first"]


def test_image_that_is_built_anew_while_it_is_read_is_read_as_it_is_now(project, known, monkeypatch):
    has, _ = known
    has["shop-web"] = engine.EngineImage(("sha256:old",), "c1", {})

    def read_filesystem(image, _workdir, _platform):
        if image == "sha256:old":
            has["shop-web"] = engine.EngineImage(("sha256:new",), "c2", {})
            raise TaskError("No such image")
        return images._Contents((), {}, (), (), "", {}, {}, (), ())

    monkeypatch.setattr(images, "_read_filesystem", read_filesystem)
    assert images.inspect_image("shop-web").content == "c2"


def test_image_that_is_gone_is_named(project, known):
    with pytest.raises(TaskError, match="the image shop-web is gone"):
        images.inspect_image("shop-web")


def test_cache_is_shared_by_checkouts_and_forgets_what_no_run_names(project, known, tmp_path):
    has, read = known
    other = Project(tmp_path / "other", "compose", ())
    other.root.mkdir()
    for name in ("base", "web"):
        has[name] = engine.EngineImage((name,), f"content of {name}", {})
    both = [images.inspect_image(name) for name in has]
    images.record_images(project.state, both)
    images.record_images(other.state, both[:1])
    assert [images.inspect_image(name).name for name in has] == read == ["base", "web"]

    has["web"] = engine.EngineImage(("anew",), "another content", {})
    images.record_images(project.state, [images.inspect_image("web")])
    cached = tmp_path / "cache" / "images"
    assert sorted(file.name.partition("-")[0] for file in cached.iterdir()) == ["another content", "content of base"]
    for key, keeper in (("a1", project.state), ("b2", other.state), ("c3", None), (".spy-new", None)):
        (tmp_path / "cache/spies" / key).mkdir(parents=True)
        if keeper:
            (keeper / "spies" / key).mkdir(parents=True)
    shutil.rmtree(other.state)  # as coverage-clean does
    images.record_images(project.state, [images.inspect_image("web")])
    assert [file.name.partition("-")[0] for file in cached.iterdir()] == ["another content"]
    assert sorted(place.name for place in (tmp_path / "cache/spies").iterdir()) == [".spy-new", "a1"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"data": "/", "images": []}', '{"version": 1, "data": "/", "images": "ab"}'),
        '{"version": 1, "data": ["/"], "images": []}',
        json.dumps({"version": 1, "data": "/" + "x" * 5000, "images": []}),
        '{"version": 1, "data": "/\\u0000", "images": []}',
    ],
)
def test_a_damaged_entry_of_the_cache_is_removed_and_keeps_no_other_from_being_read(project, known, tmp_path, text):
    has, _ = known
    has["web"] = engine.EngineImage(("1",), "c1", {})
    runs = tmp_path / "cache" / "runs"
    (runs / "0.json").mkdir(parents=True)  # what cannot be removed is left
    (runs / "1.json").write_text(text)
    images.record_images(project.state, [images.inspect_image("web")])
    assert not (runs / "1.json").exists()
    assert len(list((tmp_path / "cache" / "images").iterdir())) == 1


def test_cache_that_cannot_be_written_is_none(project, known, tmp_path, monkeypatch):
    has, read = known
    has["web"] = engine.EngineImage(("1",), "c1", {})
    (tmp_path / "file").touch()
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "file"))
    for _ in range(2):
        images.record_images(project.state, [images.inspect_image("web")])
    assert read == ["1", "1"]
    assert load_image(project.state, "c1")


def test_user_without_a_home_has_no_cache(project, known, monkeypatch):
    def no_home(_):
        raise RuntimeError("could not determine the home directory")

    has, read = known
    has["web"] = engine.EngineImage(("1",), "c1", {})
    monkeypatch.delenv("COVERAGE_SPY_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", no_home)
    for _ in range(2):
        images.record_images(project.state, [images.inspect_image("web")])
    assert read == ["1", "1"]


class Zeros(io.RawIOBase):
    """An archive with one file that has nothing but zeros, as `docker export` writes a sparse one."""

    def __init__(self, name: str, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o755
        self.head, self.left = member.tobuf(), size + 10240

    def read(self, size: int = -1) -> bytes:
        head, self.head = self.head[:size], self.head[size:]
        count = min(size - len(head), self.left)
        self.left -= count
        return head + bytes(count)


@pytest.mark.parametrize("name", ["app/big.py", "app/big"])
def test_a_source_of_any_size_is_not_held_in_memory(name):
    with bounded(), tarfile.open(fileobj=Zeros(name, 600 << 20), mode="r|") as archive:
        found = images._read_archive(archive, "/app")
    assert {path: digest.size for path, digest in found.files.items()} == (
        {"/app/big.py": 600 << 20} if name.endswith(".py") else {}
    )


def test_the_digest_of_a_large_source_is_that_of_its_content():
    content = b"#!/usr/bin/python\n" + bytes(range(256)) * 20_000
    found = read("app/large.py", "app/script", large=content, script=content)
    assert found.files == {"/app/large.py": digest_of(content), "/app/script": digest_of(content)}


def test_sources_that_an_extension_module_of_the_image_s_python_hides_are_noted():
    names = ["billing.cpython-311-x86_64-linux-gnu.so", "old.cpython-39-x86_64-linux-gnu.so", "a.abi3.so", "b.so"]
    names += ["billing.py", "old.py", "a.py", "b.py", "c.py", "libc.so.6", "without.so"]
    python = ["usr/local/bin/python3.11", "usr/local/lib/python3.11/lib-dynload/_x.cpython-311-x86_64-linux-gnu.so"]
    found = read(*(f"app/{name}" for name in names), *python)
    assert found.compiled == ("/app/a.py", "/app/b.py", "/app/billing.py")
