"""Sources of a repository, as git lists them or a walk finds them."""

from pathlib import Path

import pytest
from checkouts import git, write

from coverage_tasks.sources.maps import Filesystem, SourceMap
from coverage_tasks.sources.repository import Repository, digest_of
from coverage_tasks.sources.statements import Outline
from coverage_tasks.sources.votes import map_sources


def code(name: str) -> str:
    return f"NAME = {name!r}\n"


ORDERS = {"orders/main.py": code("orders"), "orders/api/__init__.py": "", "orders/api/routes.py": code("routes")}

ENVIRONMENT = {"env/bin/python": "", "env/bin/a.py": "", "env/lib/python3.11/site-packages/b.py": ""}


def test_a_repository_without_git_is_walked(tmp_path: Path) -> None:
    write(tmp_path, ORDERS | {"node_modules/x/a.py": "", "tool/own.py": ""} | ENVIRONMENT)
    (tmp_path / "link.py").symlink_to(tmp_path / "orders/main.py")
    repository = Repository.read(tmp_path, [tmp_path / "tool"])
    assert repository.files == {path: digest_of(text.encode()) for path, text in ORDERS.items()}


@pytest.mark.parametrize("listed", [True, False])
def test_script_without_suffix_is_python_by_first_line(tmp_path: Path, listed: bool) -> None:
    python, other = "#!/usr/bin/env python3\nprint()\n", "#!/bin/sh\nexec python3 bin/serve\n"
    write(tmp_path, {"bin/serve": python, "bin/wrap": other, "bin/serve.txt": python, "LICENSE": "python\n"})
    if listed:
        git(tmp_path, "init")
    assert Repository.read(tmp_path).files == {"bin/serve": digest_of(python.encode())}


def test_git_says_which_files_count(tmp_path: Path) -> None:
    library = tmp_path / "library"
    write(library, {"pricing.py": code("pricing")})
    main = tmp_path / "main"
    write(main, ORDERS | {".gitignore": "generated.py\n", "orders/generated.py": "", "gone.py": ""})
    for root in (library, main):
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-qm", "first")
    git(main, "submodule", "add", "-q", str(library), "libs")
    write(main, {"orders/untracked.py": ""} | ENVIRONMENT)
    (main / "gone.py").unlink()
    assert sorted(Repository.read(main).files) == sorted([*ORDERS, "orders/untracked.py", "libs/pricing.py"])
    assert sorted(Repository.read(main / "orders").files) == [
        "api/__init__.py",
        "api/routes.py",
        "main.py",
        "untracked.py",
    ]


def test_what_git_tracks_is_source_whatever_lies_beside_it(tmp_path: Path) -> None:
    interpreter = {f"python/lib/python3.11/{name}.py": "" for name in ("os", "site", "json/decoder")}
    write(tmp_path, ORDERS | ENVIRONMENT | interpreter | {"orders/pyvenv.cfg": "", "pyvenv.cfg": ""})
    git(tmp_path, "init", "-q")
    assert sorted(Repository.read(tmp_path).files) == sorted(ORDERS)
    git(tmp_path, "add", ".")
    assert sorted(Repository.read(tmp_path).files) == sorted([*ORDERS, "env/bin/a.py"])
    assert sorted(Repository.read(tmp_path / "env").files) == ["bin/a.py"]


@pytest.mark.parametrize(
    "text", ["", "\n", "# licence\n", "\n\n#!x\n", '"""A package."""\n', "r'''a\n\\'b'''  # c\n", "\ufeff'a'\n", '""\n']
)
def test_content_without_statements_tells_nothing_of_its_place(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"a/__init__.py": text, "b.py": f"{text}\nx = 1\n"})
    repository = Repository.read(tmp_path)
    assert repository.only_place(repository.files["a/__init__.py"]) is None
    assert repository.only_place(repository.files["b.py"]) == "b.py"


@pytest.mark.parametrize("text", ['"a"; x = 1\n', '"a" "b".c\n', "'''a'''.b()\n", "b'a'\n", "...\n", "'\n"])
def test_content_with_a_statement_tells_its_place(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"a.py": text})
    repository = Repository.read(tmp_path)
    assert repository.only_place(repository.files["a.py"]) == "a.py"


@pytest.mark.parametrize("here", ["\n", "\r\n"])
@pytest.mark.parametrize("there", ["\n", "\r\n"])
def test_one_text_is_one_source_whatever_its_line_ends(tmp_path: Path, here: str, there: str) -> None:
    text = "LEVEL = 3\n\n\ndef setup():\n    return LEVEL\n"
    (tmp_path / "a.py").write_bytes(text.replace("\n", here).encode())
    repository = Repository.read(tmp_path)
    digest = digest_of(text.replace("\n", there).encode())
    assert SourceMap.identity(repository).find(f"{tmp_path}/a.py", digest) == ("a.py", "same", "")
    assert map_sources(Filesystem({"/app/a.py": digest}), repository).find("/app/a.py", digest).path == "a.py"
    assert digest in repository.known


SOURCE = b'''\
# a licence
"""What it is.

Words.
"""

value = f"""
# {1 + 1}
"""
pair = (
    1,
    # two

    2,
)
'''


@pytest.mark.parametrize(
    ("lines", "fits"),
    [
        ({1, 2, 7, 8, 10, 11, 14}, True),
        ({1}, True),
        ({13}, True),  # within brackets, whatever a Python takes it for
        ({6}, False),
        ({3}, False),
        ({16}, False),
        ({17}, False),
    ],
)
def test_lines_where_a_source_has_nothing_are_of_other_code(lines: set[int], fits: bool) -> None:
    assert Outline(lambda: SOURCE).fits(lines) is fits
    assert Outline(lambda: SOURCE.replace(b"\n", b"\r\n")).fits(lines) is fits
    assert Outline(lambda: SOURCE + b"match x:").fits(lines) is (max(lines) < 17)


def test_a_module_without_statements_runs_on_its_first_line() -> None:
    for source in (b"", b"# licence\n", b"\n\n"):
        assert Outline(lambda source=source: source).fits({1})
