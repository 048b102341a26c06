"""Sources of a repository, as git lists them or a walk finds them."""

from pathlib import Path

import pytest
from checkouts import git, write

from coverage_tasks.sources.repository import Repository, digest_of


def code(name: str) -> str:
    return f"NAME = {name!r}\n"


ORDERS = {"orders/main.py": code("orders"), "orders/api/__init__.py": "", "orders/api/routes.py": code("routes")}


def test_a_repository_without_git_is_walked(tmp_path: Path) -> None:
    write(tmp_path, ORDERS | {"node_modules/x/a.py": "", "env/pyvenv.cfg": "", "env/bin/a.py": "", "tool/own.py": ""})
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
    write(main, {"orders/untracked.py": "", "venv/pyvenv.cfg": "", "venv/lib/python3.11/site-packages/six.py": ""})
    (main / "gone.py").unlink()
    assert sorted(Repository.read(main).files) == sorted([*ORDERS, "orders/untracked.py", "libs/pricing.py"])
    assert sorted(Repository.read(main / "orders").files) == [
        "api/__init__.py",
        "api/routes.py",
        "main.py",
        "untracked.py",
    ]
